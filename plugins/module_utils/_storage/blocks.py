# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Content block by block, with its holes, so that an image of any size needs the memory of one block."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Union

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

# What libvirt's stream protocol carries best in one message.
BLOCK = 256 * 1024
ZEROS = bytes(BLOCK)


@dataclass(frozen=True)
class Hole:
    """A stretch of zeros, ``length`` bytes long, that need not be stored nor sent."""

    length: int


Piece = Union[bytes, Hole]


def pieces(source: Any, sparse: bool) -> Iterator[Piece]:
    """The content of a file, or of an iterable of bytes, in order.

    :param source: a binary file opened for reading, at its beginning, or an iterable of blocks of any size.
    :param sparse: whether zeros become a `Hole`.
    """
    found = _regions(source) if sparse and _can_seek_holes(source) else _blocks(source)
    for piece in found:
        if sparse and isinstance(piece, bytes) and piece == ZEROS[: len(piece)]:
            yield Hole(len(piece))
        else:
            yield piece


@contextlib.contextmanager
def opened(path: str) -> Iterator[Any]:
    """A file of the machine that the task runs on, open for reading; a `Failure` where that does not work."""
    try:
        with open(path, "rb") as source:
            yield source
    except OSError as error:
        raise Failure(f"Cannot read {path}: {error.strerror}.") from error


def allocated(source: Any, length: int) -> int:
    """How many bytes of the content take up space, holes of a file aside; ``length`` where that is not known."""
    try:
        found = os.fstat(source.fileno())
        return min(length, found.st_blocks * 512) if stat.S_ISREG(found.st_mode) else length
    except (AttributeError, OSError):  # no file, or none of the operating system's
        return length


def _blocks(source: Any) -> Iterator[bytes]:
    if hasattr(source, "read"):
        while block := source.read(BLOCK):
            yield block
        return
    for chunk in source:
        for start in range(0, len(chunk), BLOCK):
            yield bytes(chunk[start : start + BLOCK])


def _can_seek_holes(source: Any) -> bool:
    if not hasattr(os, "SEEK_HOLE") or not hasattr(source, "fileno"):
        return False
    try:
        os.lseek(source.fileno(), 0, os.SEEK_HOLE)
        os.lseek(source.fileno(), 0, os.SEEK_SET)
    except OSError:  # a pipe, a file of length zero, or a file system that has no holes
        return False
    return True


def _regions(source: Any) -> Iterator[Piece]:
    """Data and holes of a file, as its file system knows them."""
    descriptor = source.fileno()
    end = os.fstat(descriptor).st_size
    position = 0
    while position < end:
        data = _next_data(descriptor, position, end)
        if data > position:
            yield Hole(data - position)
        position = os.lseek(descriptor, data, os.SEEK_HOLE) if data < end else end
        os.lseek(descriptor, data, os.SEEK_SET)
        while data < position:
            block = os.read(descriptor, min(BLOCK, position - data))
            if not block:  # somebody has shortened the file meanwhile
                return
            yield block
            data += len(block)


def _next_data(descriptor: int, position: int, end: int) -> int:
    try:
        return os.lseek(descriptor, position, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nothing but a hole follows
            return end
        raise
