# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is mounted, from /proc/self/mountinfo."""

from typing import Iterator, NamedTuple

from . import text

# They hold no files of their own on a disk.
_VIRTUAL = frozenset(
    [
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
    ]
)
# Asking them waits for another machine.
_REMOTE = frozenset(["9p", "afs", "ceph", "cifs", "glusterfs", "nfs", "nfs4", "smb3", "virtiofs"])


class Mount(NamedTuple):
    """One mount. Several can show the same file system: then ``number`` is the same."""

    number: str
    point: str
    kind: str
    device: str
    read_only: bool


def local() -> Iterator[Mount]:
    """The mounts of file systems on this machine's disks, in the order in which they were mounted."""
    for line in text.read("/proc/self/mountinfo").splitlines():
        # proc(5): id parent major:minor root mountpoint options [optional fields] - type source options
        left, _dash, right = line.partition(" - ")
        place, kind = left.split(), right.split()
        if len(place) < 6 or len(kind) < 2 or kind[0] in _VIRTUAL | _REMOTE or kind[0].startswith("fuse"):
            continue
        yield Mount(place[2], unescaped(place[4]), kind[0], unescaped(kind[1]), "ro" in place[5].split(","))


def unescaped(word: str) -> str:
    """Undo the kernel's octal escapes of blanks and backslashes."""
    for code in ("\\040", "\\011", "\\012", "\\134"):
        word = word.replace(code, chr(int(code[1:], 8)))
    return word
