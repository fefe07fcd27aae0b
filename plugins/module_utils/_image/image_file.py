# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a disk image file is, read from its first bytes; and whether it can be trusted to stand alone.

An image from the network must not name other files: a backing file, a data file or a VMDK extent
would make QEMU open a file of the host for the guest. QEMU's qcow2 format:
https://www.qemu.org/docs/master/interop/qcow2.html
"""

from __future__ import annotations

import os
import stat
import struct
from dataclasses import dataclass

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

_QCOW2 = b"QFI\xfb"
_DATA_FILE_BIT = 1 << 2  # incompatible feature: external data file
_DATA_FILE_NAME = 0x44415441  # header extension

_COMPRESSED = {
    b"\xfd7zXZ\x00": "xz",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}
_FOREIGN = {
    b"KDMV": "vmdk",
    b"COWD": "vmdk",
    b"# Disk DescriptorFile": "vmdk",
    b"QED\x00": "qed",
    b"vhdxfile": "vhdx",
    b"conectix": "vpc",
    b"<<< ": "vdi",
}


@dataclass(frozen=True)
class ImageFile:
    """A disk image that stands alone.

    :ivar format: ``qcow2`` or ``raw``.
    :ivar file_size: bytes of the file.
    :ivar capacity: bytes of the disk that a guest sees.
    """

    format: str
    file_size: int
    capacity: int


def inspect(path: str, expected: str | None = None) -> ImageFile:
    """What the image in a file is.

    :param expected: the format that it must have; None takes what it is.
    :raises Failure: for what is neither a file nor a block device, is no disk image, or is compressed, encrypted or
        names other files.
    """
    try:
        _require_storage(path)
        with open(path, "rb") as file:
            head = file.read(65536)
            size = file.seek(0, os.SEEK_END)  # of a device, stat says 0
    except OSError as error:
        raise Failure(f"Cannot read the image {path}: {error.strerror}.") from error
    found = _format(head, path)
    if expected == "qcow2" and found != "qcow2":
        raise Failure(f"The image {path} is not qcow2. Check the address that it came from.")
    if expected == "raw" and found == "qcow2":
        raise Failure(f"The image {path} is qcow2, not raw.")
    if found == "qcow2":
        return ImageFile("qcow2", size, _qcow2_capacity(head, path))
    if found == "unknown" and expected != "raw":
        raise Failure(
            f"{path} is no disk image that is known: no qcow2, and no partition table. "
            "If it is a raw file system, say so with format: raw."
        )
    return ImageFile("raw", size, -(-size // 512) * 512)


def _require_storage(path: str) -> None:
    """Refuse what has no size, before it is opened: a pipe would wait for somebody to write."""
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISBLK(mode):
        raise Failure(f"{path} is neither a file nor a block device, so it cannot be an image. Give the path of one.")


def _format(head: bytes, path: str) -> str:
    if head.startswith(_QCOW2):
        return "qcow2"
    for magic, name in _COMPRESSED.items():
        if head.startswith(magic):
            raise Failure(f"The image {path} is compressed with {name}: unpack it and give the file as path.")
    for magic, name in _FOREIGN.items():
        if head.startswith(magic):
            raise Failure(f"The image {path} is {name}: convert it with qemu-img convert -O qcow2 first.")
    has_table = head[510:512] == b"\x55\xaa"
    is_iso = head[32769:32774] == b"CD001"
    return "raw" if has_table or is_iso else "unknown"


def _qcow2_capacity(head: bytes, path: str) -> int:
    if len(head) < 104:
        raise Failure(f"The image {path} is cut off: its qcow2 header is not complete.")
    version, backing = struct.unpack_from(">IQ", head, 4)
    capacity, encryption = struct.unpack_from(">QI", head, 24)
    if version not in (2, 3):
        raise Failure(f"The image {path} is qcow2 of the version {version}, which is not known.")
    if backing:
        raise _names_other_file(path, "a backing file")
    if version == 3 and _has_data_file(head):
        raise _names_other_file(path, "an external data file")
    if encryption:
        raise Failure(f"The image {path} is encrypted: a guest could not boot from it.")
    return int(capacity)


def _has_data_file(head: bytes) -> bool:
    features, header_length = (
        struct.unpack_from(">Q", head, 72)[0],
        struct.unpack_from(">I", head, 100)[0],
    )
    if features & _DATA_FILE_BIT:
        return True
    place = int(header_length)
    while place + 8 <= len(head):
        kind, length = struct.unpack_from(">II", head, place)
        if kind == 0:
            return False
        if kind == _DATA_FILE_NAME:
            return True
        place += 8 + (length + 7) // 8 * 8
    return False


def _names_other_file(path: str, what: str) -> Failure:
    return Failure(
        f"The image {path} names {what}, through which a guest could read files of the host. "
        "Make an image that stands alone: qemu-img convert -O qcow2."
    )
