# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A slow link to a libvirt daemon that also counts what goes over it.

``qemu+ext:///system?command=PATH`` makes libvirt talk to a daemon through any program's standard input and output::

    with Relay("qemu+tcp://10.77.0.2/system", rtt=0.010) as relay:
        libvirt.open(relay.uri).listAllDomains()
        print(relay.calls())      # how often each procedure was called

The program that runs between is this file (standard library only, so that it starts at once).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import shlex
import socket
import struct
import sys
import tempfile
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_BLOCK = 256 * 1024
_LOCAL_SOCKET = "/run/libvirt/libvirt-sock"
_TCP_PORT = 16509
# libvirt's src/rpc/virnetprotocol.x: length (of the whole packet), program, version, procedure, type, serial, status.
_HEADER = struct.Struct(">IIIIIII")
REMOTE_PROGRAM = 0x20008086
QEMU_PROGRAM = 0x20008087
KEEPALIVE_PROGRAM = 0x6B656570
CALL, REPLY, EVENT, STREAM = range(4)


@dataclass(frozen=True)
class Message:
    """One packet that went over the link.

    :ivar seconds: when, on the clock C(time.monotonic).
    :ivar to_daemon: in which direction.
    :ivar program: such as REMOTE_PROGRAM.
    :ivar procedure: its number in that program.
    :ivar kind: CALL, REPLY, EVENT or STREAM.
    :ivar serial: a reply has that of its call.
    """

    seconds: float
    to_daemon: bool
    program: int
    procedure: int
    kind: int
    serial: int


class Relay:
    """A context in which C(uri) leads to the target over a slow link.

    :param target: C(qemu:///system), C(qemu+tcp://HOST[:PORT]/system), or C(qemu+unix:///system?socket=PATH).
    :param rtt: the round trip time to add, in seconds; half of it in each direction.
    :ivar uri: what to open instead of the target.
    :raises ValueError: the target is none of these. (A TLS or SASL connection cannot be counted: it is encrypted.)
    """

    def __init__(self, target: str, rtt: float = 0.0) -> None:
        self._address, path = parse_target(target)
        self._rtt = rtt
        self._folder = tempfile.TemporaryDirectory(prefix="kvmlab-relay-")
        self._log = Path(self._folder.name, "messages")
        program = Path(self._folder.name, "relay")
        words = [sys.executable, "-S", "-E", __file__, f"--log={self._log}", f"--rtt={rtt}", self._address]
        program.write_text(f"#!/bin/sh\nexec {shlex.join(words)}\n", encoding="utf-8")
        program.chmod(0o700)
        self.uri = f"qemu+ext://{path}?command={urllib.parse.quote(str(program), safe='/')}"

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def messages(self) -> list[Message]:
        """Return what has gone over all connections so far, in order of time."""
        if not self._log.exists():
            return []
        lines = self._log.read_text(encoding="ascii").splitlines()
        return sorted((parse_message(line) for line in lines), key=lambda message: message.seconds)

    def calls(self, program: int = REMOTE_PROGRAM) -> Counter[int]:
        """Return how often each procedure was called, by its number in libvirt's remote_protocol.x."""
        sent = [message for message in self.messages() if message.to_daemon and message.kind == CALL]
        return Counter(message.procedure for message in sent if message.program == program)

    def reset(self) -> None:
        """Forget the messages so far."""
        if self._log.exists():
            os.truncate(self._log, 0)


def parse_target(uri: str) -> tuple[str, str]:
    """Return the address (C(PATH) of a socket or C(HOST:PORT)) and the URI's path of a target."""
    parts = urllib.parse.urlsplit(uri)
    transport = parts.scheme.partition("+")[2]
    if transport == "tcp" and parts.hostname:
        return f"{parts.hostname}:{parts.port or _TCP_PORT}", parts.path
    if transport in ("", "unix") and not parts.hostname:
        sockets = urllib.parse.parse_qs(parts.query).get("socket", [_LOCAL_SOCKET])
        return sockets[0], parts.path
    raise ValueError(f"cannot relay to {uri!r}: only a local socket and plain TCP can be relayed")


def packets(buffer: bytearray) -> Iterator[tuple[int, int, int, int]]:
    """Take the whole packets off a buffer, and yield program, procedure, type and serial of each."""
    while len(buffer) >= _HEADER.size:
        length, program, _version, procedure, kind, serial, _status = _HEADER.unpack_from(buffer)
        if len(buffer) < length or length < _HEADER.size:
            return
        del buffer[:length]
        yield program, procedure, kind, serial


def parse_message(line: str) -> Message:
    """Read one line of the log."""
    seconds, to_daemon, *numbers = line.split()
    program, procedure, kind, serial = map(int, numbers)
    return Message(float(seconds), to_daemon == ">", program, procedure, kind, serial)


def _connect(address: str) -> socket.socket:
    if address.startswith("/"):
        link = socket.socket(socket.AF_UNIX)
        link.connect(address)
        return link
    host, _colon, port = address.rpartition(":")
    link = socket.create_connection((host, int(port)))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


class _Direction:
    """One direction: a thread that reads, and one that writes what was read a while ago."""

    def __init__(self, source: int, sink: int, delay: float, sign: str, log: int) -> None:
        self._source, self._sink, self._delay, self._sign, self._log = source, sink, delay, sign, log
        self._waiting: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

    def start(self, at_end: Callable[[], None] = lambda: None) -> threading.Thread:
        """Start both threads and return the one that ends when all is written, after it called C(at_end)."""
        threading.Thread(target=self._read, daemon=True).start()
        writer = threading.Thread(target=self._write, args=(at_end,), daemon=True)
        writer.start()
        return writer

    def _read(self) -> None:
        unparsed = bytearray()
        data = b"more"
        while data:
            try:
                data = os.read(self._source, _BLOCK)
            except ConnectionError:
                data = b""
            now = time.monotonic()
            unparsed += data
            lines = [f"{now:.6f} {self._sign} {' '.join(map(str, packet))}\n" for packet in packets(unparsed)]
            if lines:
                os.write(self._log, "".join(lines).encode("ascii"))
            # Only now: who has had an answer finds the call in the log.
            self._waiting.put((now + self._delay, data))

    def _write(self, at_end: Callable[[], None]) -> None:
        with contextlib.suppress(OSError):  # the other side has gone
            while True:
                due, data = self._waiting.get()
                time.sleep(max(0.0, due - time.monotonic()))
                if not data:
                    break
                while data:
                    data = data[os.write(self._sink, data) :]
            at_end()


def main() -> int:
    """Relay between standard input and output and the address, until either side ends."""
    parser = argparse.ArgumentParser(description="Relay a libvirt connection slowly.")
    parser.add_argument("--log", required=True)
    parser.add_argument("--rtt", type=float, default=0.0)
    parser.add_argument("address")
    options = parser.parse_args()
    try:
        link = _connect(options.address)
    except OSError as error:
        print(f"cannot reach {options.address}: {error.strerror}", file=sys.stderr)
        return 1
    log = os.open(options.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    one_way = options.rtt / 2
    _Direction(sys.stdin.fileno(), link.fileno(), one_way, ">", log).start(lambda: link.shutdown(socket.SHUT_WR))
    # The daemon closes its end when the client has gone, and the client is to notice when the daemon has.
    _Direction(link.fileno(), sys.stdout.fileno(), one_way, "<", log).start().join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
