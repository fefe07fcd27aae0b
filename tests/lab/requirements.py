# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab needs of the machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .errors import LabError

# Program → the Debian package that has it.
PROGRAMS = {
    "ip": "iproute2",
    "mcopy": "mtools",
    "mke2fs": "e2fsprogs",
    "mkfs.vfat": "dosfstools",
    "mmdebstrap": "mmdebstrap",
    "mount": "mount",
    "nsenter": "util-linux",
    "qemu-img": "qemu-utils",
    "saslpasswd2": "sasl2-bin",
    "sfdisk": "fdisk",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "unshare": "util-linux",
}
# Without it mmdebstrap cannot check Debian's signatures (Ubuntu does not have it by itself).
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def packages() -> list[str]:
    """Return the Debian packages the lab needs, sorted."""
    return sorted({*PROGRAMS.values(), "debian-archive-keyring"})


def missing_packages() -> list[str]:
    """Return those of :func:`packages` whose programs are not there, sorted."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = {package for program, package in PROGRAMS.items() if not shutil.which(program, path=path)}
    return sorted(missing if KEYRING.exists() else missing | {"debian-archive-keyring"})


def check_requirements() -> None:
    """Raise LabError unless this process is root and all programs are there."""
    if os.geteuid() != 0:
        raise LabError("the lab makes network namespaces and mounts, which needs root; run it again with sudo")
    if missing := missing_packages():
        raise LabError(f"the lab needs packages that are not installed: apt install {' '.join(missing)}")
