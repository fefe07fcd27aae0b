# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pin every date in an ISO 9660 image, so that the same files always give the same bytes.

pycdlib stamps the time of the build and has no option for another. The standards fix the places of
the dates, so they are set in the finished bytes: ECMA-119 (8.4.26 volume dates, 9.1.5 record
dates) and Rock Ridge's ``TF`` entry (IEEE P1282, 4.1.6).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_SECTOR = 2048
_FIRST_DESCRIPTOR = 16
_PRIMARY, _SUPPLEMENTARY, _TERMINATOR = 1, 2, 255
_VOLUME_DATES = (813, 830, 847, 864)  # created, modified, expires, effective
_ROOT_RECORD = 156

# 1 January 1980, 00:00 UTC: the earliest that FAT, ZIP and ISO 9660 can all say.
_LONG = b"1980010100000000\0"
_SHORT = bytes((80, 1, 1, 0, 0, 0, 0))
_UNSET = b"0" * 16 + b"\0"


def pin(image: bytearray) -> None:
    """Set all dates of an image whose files are all in its root directory, in place."""
    for start in _descriptors(image):
        for offset in _VOLUME_DATES:
            place = slice(start + offset, start + offset + len(_LONG))
            if image[place] != _UNSET:
                image[place] = _LONG
        root = start + _ROOT_RECORD
        _pin_record_date(image, root)
        extent, length = _extent_of(image, root)
        for record in _records(image, extent * _SECTOR, length):
            _pin_record_date(image, record)
            _pin_system_use(image, *_system_use(image, record))


def _descriptors(image: bytearray) -> Iterator[int]:
    """Where the volume descriptors that have a root directory begin."""
    start = _FIRST_DESCRIPTOR * _SECTOR
    while start < len(image) and image[start] != _TERMINATOR:
        if image[start] in (_PRIMARY, _SUPPLEMENTARY):
            yield start
        start += _SECTOR


def _records(image: bytearray, start: int, length: int) -> Iterator[int]:
    """Where the directory records of one extent begin; a record never crosses a sector."""
    place = start
    while place < start + length:
        size = image[place]
        if size:
            yield place
            place += size
        else:
            place = (place // _SECTOR + 1) * _SECTOR


def _system_use(image: bytearray, record: int) -> tuple[int, int]:
    name_length = image[record + 32]
    begin = record + 33 + name_length + (1 - name_length % 2)
    return begin, record + image[record]


def _pin_system_use(image: bytearray, place: int, end: int) -> None:
    """Set the Rock Ridge dates between two places, and where a ``CE`` entry continues them."""
    while place + 4 <= end and image[place + 2] >= 4:
        signature, size = bytes(image[place : place + 2]), image[place + 2]
        if signature == b"TF":
            _pin_time_stamps(image, place, size)
        elif signature == b"CE":
            block, offset, length = (struct.unpack_from("<I", image, place + 4 + 8 * field)[0] for field in range(3))
            begin = block * _SECTOR + offset
            _pin_system_use(image, begin, begin + length)
        place += size


def _pin_time_stamps(image: bytearray, entry: int, size: int) -> None:
    stamp = _LONG if image[entry + 4] & 0x80 else _SHORT
    count = (size - 5) // len(stamp)
    image[entry + 5 : entry + 5 + count * len(stamp)] = stamp * count


def _pin_record_date(image: bytearray, record: int) -> None:
    image[record + 18 : record + 25] = _SHORT


def _extent_of(image: bytearray, record: int) -> tuple[int, int]:
    """The first sector and the length in bytes of what a record describes."""
    extent, length = struct.unpack_from("<I4xI", image, record + 2)
    return extent, length
