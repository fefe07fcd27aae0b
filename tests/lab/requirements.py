# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab needs of the machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from .errors import LabError
from .model import Host

# Program → the Debian package that has it.
_FOR_HOSTS = {
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "mount": "mount",
    "nsenter": "util-linux",
    "unshare": "util-linux",
}
_FOR_IMAGES = {
    "mcopy": "mtools",
    "mke2fs": "e2fsprogs",
    "mkfs.vfat": "dosfstools",
    "mmdebstrap": "mmdebstrap",
    "qemu-img": "qemu-utils",
    "sfdisk": "fdisk",
    "unshare": "util-linux",
}
_FOR_SASL = {"saslpasswd2": "sasl2-bin"}
_FOR_SSH = {"ssh": "openssh-client", "ssh-keygen": "openssh-client", "sshd": "openssh-server"}
# Without it mmdebstrap cannot check Debian's signatures (Ubuntu does not have it by itself).
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_KEYRING_PACKAGE = "debian-archive-keyring"


def packages() -> list[str]:
    """Return the Debian packages that all of the lab needs, sorted."""
    every = {**_FOR_HOSTS, **_FOR_IMAGES, **_FOR_SASL, **_FOR_SSH}
    return sorted({*every.values(), _KEYRING_PACKAGE})


def check_for_hosts(hosts: Iterable[Host]) -> None:
    """Raise LabError unless these hosts can be started here."""
    wanted = dict(_FOR_HOSTS)
    for host in hosts:
        wanted |= _FOR_SASL if host.auth == "sasl" else {}
        wanted |= _FOR_SSH if host.ssh else {}
    _check(wanted)


def check_for_images() -> None:
    """Raise LabError unless images can be built here."""
    _check(_FOR_IMAGES)


def _check(programs: dict[str, str]) -> None:
    """Raise LabError unless this process is root and the programs are there."""
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces and mounts, which needs root; run it again with sudo")
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = {package for program, package in programs.items() if not shutil.which(program, path=path)}
    if not _KEYRING.exists():
        missing.add(_KEYRING_PACKAGE)
    if missing:
        raise LabError(f"the lab needs packages that are not installed: apt install {' '.join(sorted(missing))}")
