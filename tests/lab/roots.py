# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operating system of a host: this machine's own, or a small installation made by mmdebstrap."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from .cache import cached
from .debian import LEFT_OUT, install
from .model import RELEASES
from .state import BASE

_PACKAGES = (
    "libvirt-daemon-system",
    "libvirt-clients",
    "qemu-system-x86",
    "qemu-utils",
    "ovmf",
    "swtpm",
    "swtpm-tools",
    "dnsmasq-base",
    "iptables",
    "nftables",
    "iproute2",
    "libsasl2-modules",
    "sasl2-bin",
    "openssh-server",
    "netcat-openbsd",
    "python3-minimal",
)
# What the host itself runs; when this machine has them and the release, no other system is needed.
_OWN_PROGRAMS = ("libvirtd", "virtlogd", "qemu-system-x86_64", "dnsmasq")


def root_of(release: str) -> Path:
    """Return the root folder for hosts of a release, building it if this machine cannot serve itself."""
    if machine_has(release):
        return Path("/")
    recipe = {"release": release, "packages": _PACKAGES, "left_out": LEFT_OUT, "version": 1}
    return cached("roots", release, recipe, lambda folder: _build(release, folder), f"{RELEASES[release]}, about 60 s")


def machine_has(release: str) -> bool:
    """Return whether this machine is of that release and has libvirt installed."""
    try:
        codename = platform.freedesktop_os_release().get("VERSION_CODENAME")
    except OSError:
        return False
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return codename == release and all(shutil.which(program, path=path) for program in _OWN_PROGRAMS)


def _build(release: str, folder: Path) -> None:
    """Install a release into a folder."""
    install(release, folder, _PACKAGES)
    (folder / BASE.relative_to("/")).mkdir(parents=True)  # where the host sees the lab's shared folder
