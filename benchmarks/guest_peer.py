# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guest's end of the bare port: what a program can do there that knows no protocol. Standard library only.

It takes orders, a line each: ``take raw SIZE``, ``give raw SIZE``, ``take lines SIZE`` or ``give lines SIZE``. Raw
bytes come as they are; lines are JSON with 48 KiB as base64, of which the sender may be a window ahead of what the
receiver has acknowledged. After bytes that it took it says ``done``.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from collections.abc import Callable

Read = Callable[[int], bytes]
Write = Callable[[bytes], object]

PIECE = 48 * 1024
WINDOW = 1024 * 1024
_BLOCK = 256 * 1024


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

    def write(self, data: bytes) -> None:
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
        else:
            (take_lines if direction == b"take" else give_lines)(lines, port.write, int(size))


if __name__ == "__main__":
    serve(sys.argv[1])
