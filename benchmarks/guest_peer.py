# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guest's end of the bare port: what a program can do there that knows no protocol. Standard library only.

It takes orders, a line each: ``take FORM SIZE`` or ``give FORM SIZE``. Of the form ``raw`` are bytes as they are, which
it forgets or makes up; ``file`` are the same, written into a file or read from it, with a checksum of the whole; and
``lines`` are JSON with 48 KiB as base64, of which the sender may be a window ahead of what the receiver has
acknowledged. After bytes that it took it says ``done``.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

Read = Callable[[int], bytes]
Write = Callable[[bytes], object]

PIECE = 48 * 1024
WINDOW = 1024 * 1024
_BLOCK = 256 * 1024
_READ_SIZE = 4096  # bytes that a read gets at most
FILE = "/dev/shm/guest_peer"


def line(piece: bytes) -> bytes:
    """A piece on a line."""
    return json.dumps({"data": base64.b64encode(piece).decode("ascii")}).encode("ascii") + b"\n"


def acknowledgement(size: int) -> bytes:
    """What the receiver says when it has used up ``size`` bytes."""
    return json.dumps({"used": size}).encode("ascii") + b"\n"


class Lines:
    """The lines that come from a function that gives bytes.

    :param read: gives some bytes, at most as many as it is told.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._rest: list[bytes] = []

    def next(self) -> bytes:
        """The next line without its end."""
        while len(self._rest) < 2:
            pieces = [self._rest.pop() if self._rest else b""]
            while b"\n" not in pieces[-1]:
                pieces.append(self._read(_BLOCK))
            self._rest = b"".join(pieces).split(b"\n")[::-1]
        return self._rest.pop()

    def rest(self) -> bytes:
        """What was read after the last line."""
        rest, self._rest = b"\n".join(reversed(self._rest)), []
        return rest


def take_lines(lines: Lines, write: Write, size: int) -> None:
    """Receive ``size`` bytes in lines, acknowledging half windows."""
    used = told = 0
    while used < size:
        used += len(base64.b64decode(json.loads(lines.next())["data"]))
        if used - told >= WINDOW // 2 or used >= size:
            told = used
            write(acknowledgement(used))


def give_lines(lines: Lines, write: Write, size: int) -> None:
    """Send ``size`` bytes in lines, at most a window ahead; returns when all are acknowledged."""
    piece = b"\xa5" * PIECE
    sent = used = 0
    while used < size:
        while sent < size and sent - used < WINDOW:
            write(line(piece[: size - sent]))
            sent += min(PIECE, size - sent)
        used = json.loads(lines.next())["used"]


class Port:
    """The device, which reads as empty as long as the host has not opened its end."""

    def __init__(self, path: str) -> None:
        self._handle = os.open(path, os.O_RDWR)

    def read(self, size: int) -> bytes:
        """Some bytes."""
        while True:
            received = os.read(self._handle, size)
            if received:
                return received
            time.sleep(0.05)

    def write(self, data: bytes | memoryview) -> None:
        """All of the bytes."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._handle, rest) :]

    def take_raw(self, size: int) -> None:
        """Receive that many bytes, forget them, and say so."""
        while size > 0:
            size -= len(self.read(min(size, _BLOCK)))
        self.write(b"done\n")

    def give_raw(self, size: int) -> None:
        """Send anything."""
        block = bytes(_BLOCK)
        while size > 0:
            self.write(block[:size])
            size -= len(block)

    def read_into(self, block: memoryview) -> None:
        """Fill it, with as few calls as the kernel allows."""
        while block:
            size = os.readv(self._handle, [block[at : at + _READ_SIZE] for at in range(0, len(block), _READ_SIZE)])
            block = block[size:]

    def take_file(self, begin: bytes, size: int) -> None:
        """Receive that many bytes, of which the first are here already, into a file."""
        with open(FILE, "wb", buffering=0) as file, _hashing() as add:
            file.write(begin)
            add(begin)
            size -= len(begin)
            for block in _in_turn(bytearray(_BLOCK), bytearray(_BLOCK), bytearray(_BLOCK)):
                piece = block[:size]
                self.read_into(piece)
                add(piece)
                file.write(piece)
                size -= len(piece)
                if not size:
                    break
        self.write(b"done\n")

    def give_file(self, size: int) -> None:
        """Send as many bytes of the file that came before."""
        with open(FILE, "rb", buffering=0) as file, _hashing() as add:
            for block in _in_turn(bytearray(_BLOCK), bytearray(_BLOCK), bytearray(_BLOCK)):
                piece = block[: file.readinto(block[:size])]
                add(piece)
                self.write(piece)
                size -= len(piece)
                if not size:
                    break


@contextlib.contextmanager
def _hashing() -> Iterator[Callable[[bytes | memoryview], None]]:
    """A function that adds to a checksum in a thread of its own, once what it was given before is added."""
    digest = hashlib.sha256()
    with ThreadPoolExecutor(1) as executor:
        last: Future[None] = executor.submit(digest.update, b"")

        def add(piece: bytes | memoryview) -> None:
            nonlocal last
            last.result()
            last = executor.submit(digest.update, piece)

        yield add
        last.result()


def _in_turn(*blocks: bytearray) -> Iterator[memoryview]:
    while True:
        yield from (memoryview(block) for block in blocks)


def serve(path: str) -> None:
    """Carry out one order after another."""
    port = Port(path)
    lines = Lines(port.read)
    while True:
        direction, form, size = lines.next().split()
        if form == b"raw" and direction == b"take":
            port.take_raw(int(size) - len(lines.rest()))
        elif form == b"raw":
            port.give_raw(int(size))
        elif form == b"file" and direction == b"take":
            port.take_file(lines.rest(), int(size))
        elif form == b"file":
            port.give_file(int(size))
        else:
            (take_lines if direction == b"take" else give_lines)(lines, port.write, int(size))


if __name__ == "__main__":
    serve(sys.argv[1])
