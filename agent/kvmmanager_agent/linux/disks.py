# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How full the local file systems are."""

import contextlib
import os
from typing import Any, Dict, List

from . import text

# They hold no files of their own on a disk.
_VIRTUAL = frozenset(
    (
        "autofs",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "debugfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "fusectl",
        "hugetlbfs",
        "mqueue",
        "nsfs",
        "overlay",
        "proc",
        "pstore",
        "ramfs",
        "rpc_pipefs",
        "securityfs",
        "selinuxfs",
        "squashfs",
        "sysfs",
        "tmpfs",
        "tracefs",
    )
)
# Asking them waits for another machine.
_REMOTE = frozenset(
    (
        "9p",
        "afs",
        "ceph",
        "cifs",
        "glusterfs",
        "nfs",
        "nfs4",
        "smb3",
        "virtiofs",
    )
)


def disk_usage() -> List[Dict[str, Any]]:
    """Each local file system once, at its first mount point; sizes in bytes.

    ``available`` is what users can still take, ``free`` counts root's reserve as well.
    """
    found: Dict[str, Dict[str, Any]] = {}
    for line in text.read("/proc/self/mountinfo").splitlines():
        # proc(5): id parent major:minor root mountpoint options [optional fields] - type source options
        left, _dash, right = line.partition(" - ")
        place, kind = left.split(), right.split()
        if len(place) < 6 or len(kind) < 2 or kind[0] in _VIRTUAL | _REMOTE or kind[0].startswith("fuse"):
            continue
        if place[2] in found:
            continue
        with contextlib.suppress(OSError):
            mount_point = unescaped(place[4])
            found[place[2]] = {
                "mount": mount_point,
                "device": unescaped(kind[1]),
                "type": kind[0],
                "read_only": "ro" in place[5].split(","),
                **_usage(mount_point),
            }
    return list(found.values())


def _usage(mount_point: str) -> Dict[str, int]:
    usage = os.statvfs(mount_point)
    return {
        "size": usage.f_blocks * usage.f_frsize,
        "free": usage.f_bfree * usage.f_frsize,
        "available": usage.f_bavail * usage.f_frsize,
        "inodes": usage.f_files,
        "inodes_free": usage.f_ffree,
    }


def unescaped(word: str) -> str:
    """Undo the kernel's octal escapes of blanks and backslashes."""
    for code in ("\\040", "\\011", "\\012", "\\134"):
        word = word.replace(code, chr(int(code[1:], 8)))
    return word
