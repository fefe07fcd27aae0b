# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""64 MiB into a guest and out of it, checksum included, into memory of the guest, so that no disk has a part in it.

Beside qemu-guest-agent, with the calls that the connection plugin libvirt_qemu of community.libvirt makes for it:
64 KiB written or read, then the next. And beside what the port carries without an agent: JSON lines over the bare port,
for a session with base64 alone; raw bytes over a bare libvirt stream, for one with raw frames. The goals: 6 times
faster than qemu-guest-agent's writes, 2.5 times faster than its reads, 60 % of the lines, a third of the stream (half
is the aim).

The stream's bytes are made up and forgotten. Bare is what a program reaches that puts them into a file, or takes them
from one, and hashes them, and does no more than that.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
import pathlib
import socket
import statistics
import time
from collections.abc import Callable
from typing import Any

import libvirt
import libvirt_qemu

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.channel import open_channel
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import Guest
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.kvmmanager import KvmmanagerGuest
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.session import Session
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.wire import PORT_NAME
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, connect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from benchmarks import guest_peer
from benchmarks.figure import Figure
from benchmarks.guest_machine import BARE_PORT, Machine

MIB = 1024**2
SIZE = 64 * MIB
INSIDE = "/dev/shm/bench"
_ROUNDS = 3
_BLOCK = 256 * 1024
_THEIR_BLOCK = 64 * 1024
_LONG = 600.0  # seconds


@functools.cache
def source_file(machine: Machine) -> tuple[pathlib.Path, str]:
    """A file to copy, and its checksum."""
    path, content = machine.folder / "source", os.urandom(SIZE)
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def figures(machine: Machine) -> list[Figure]:
    """The figures of this file. Each way of copying goes first into the guest and then out of it, in turn."""
    ways = {
        "frames": _with_our_agent(machine, frames=True),
        "base64": _with_our_agent(machine, frames=False),
        "qemu": _with_qemu_agent(machine),
        "lines": _over_the_bare_port(machine),
        "stream": _over_a_bare_stream(machine, "raw"),
        "file": _over_a_bare_stream(machine, "file"),
    }
    speeds: dict[tuple[str, str], list[float]] = {}
    for _round in range(_ROUNDS):
        for way, directions in ways.items():
            for direction, copy in directions.items():
                speeds.setdefault((way, direction), []).append(_speed(copy))
    median = {key: statistics.median(found) for key, found in speeds.items()}
    return [
        _compared(median, direction, *against)
        for direction, goal in (("into", 6.0), ("out of", 2.5))
        for against in (
            ("frames", "qemu", goal, "beside qemu-guest-agent"),
            ("base64", "lines", 0.6, "base64, beside bare lines"),
            ("frames", "stream", 1 / 3, "frames, beside a bare stream"),
        )
    ]


def _compared(
    median: dict[tuple[str, str], float], direction: str, ours: str, theirs: str, goal: float, how: str
) -> Figure:
    name = f"{SIZE // MIB} MiB {direction} a guest, {how}"
    bare = median["file", direction] if theirs == "stream" else None
    return Figure(name, median[ours, direction], median[theirs, direction], "MB/s", goal, True, bare)


def _speed(copy: Callable[[], None]) -> float:
    """Megabytes in a second."""
    begin = time.perf_counter()
    copy()
    return SIZE / 1e6 / (time.perf_counter() - begin)


def _with_our_agent(machine: Machine, frames: bool) -> dict[str, Callable[[], None]]:
    file, sha256 = source_file(machine)

    def guest_with(do: Callable[[Guest], None]) -> None:
        def session(deadline: Deadline) -> Session:
            channel = open_channel(hypervisor, uuid, PORT_NAME, "the guest", deadline)
            return Session(channel, "the guest", deadline, frames)

        with machine.domain() as domain:
            uuid = domain.UUIDString()
        with connect(ConnectionOptions(machine.host.uri)) as hypervisor:
            guest = KvmmanagerGuest("the guest", session, Deadline(60))
            try:
                do(guest)
            finally:
                guest.close()

    def put(guest: Guest) -> None:
        with file.open("rb") as source:
            guest.put(source, INSIDE, timeout=_LONG)

    def get(guest: Guest) -> None:
        with (machine.folder / "copy").open("wb+") as sink:
            found = guest.get(INSIDE, sink, timeout=_LONG)
        if found.sha256 != sha256:
            raise RuntimeError("what came out of the guest is not what went into it")

    return {"into": lambda: guest_with(put), "out of": lambda: guest_with(get)}


def _with_qemu_agent(machine: Machine) -> dict[str, Callable[[], None]]:
    file, _sha256 = source_file(machine)

    def with_handle(mode: str, do: Callable[[Callable[..., Any]], None]) -> None:
        with machine.domain() as domain:
            handle = _ask(domain, "guest-file-open", path=INSIDE, mode=mode)
            do(functools.partial(_ask, domain, handle=handle))
            _ask(domain, "guest-file-close", handle=handle)

    def write(ask: Callable[..., Any]) -> None:
        with file.open("rb") as source:
            while piece := source.read(_THEIR_BLOCK):
                ask("guest-file-write", **{"buf-b64": base64.b64encode(piece).decode("ascii")})

    def read(ask: Callable[..., Any]) -> None:
        with (machine.folder / "copy").open("wb") as sink:
            ended = False
            while not ended:
                answer = ask("guest-file-read", count=_THEIR_BLOCK)
                sink.write(base64.b64decode(answer["buf-b64"]))
                ended = answer["eof"]

    return {"into": lambda: with_handle("wb+", write), "out of": lambda: with_handle("r", read)}


def _ask(domain: libvirt.virDomain, command: str, **arguments: Any) -> Any:
    request = json.dumps({"execute": command, "arguments": arguments})
    return json.loads(libvirt_qemu.qemuAgentCommand(domain, request, 30, 0))["return"]


def _over_the_bare_port(machine: Machine) -> dict[str, Callable[[], None]]:
    def conversation(order: str, do: Callable[[guest_peer.Lines, Callable[[bytes], None], int], None]) -> None:
        with machine.bare_port() as port:
            port.sendall(f"{order} lines {SIZE}\n".encode("ascii"))
            do(guest_peer.Lines(functools.partial(_received, port)), port.sendall, SIZE)

    return {
        "into": lambda: conversation("take", guest_peer.give_lines),
        "out of": lambda: conversation("give", guest_peer.take_lines),
    }


def _received(port: socket.socket, size: int) -> bytes:
    received = port.recv(size)
    if not received:
        raise RuntimeError("the guest has gone")
    return received


def _over_a_bare_stream(machine: Machine, form: str) -> dict[str, Callable[[], None]]:
    def conversation(order: str, do: Callable[[libvirt.virStream], None]) -> None:
        with machine.domain() as domain:
            stream = domain.connect().newStream()
            domain.openChannel(BARE_PORT, stream)
            _send(stream, f"{order} {form} {SIZE}\n".encode("ascii"))
            do(stream)
            stream.abort()

    def push(stream: libvirt.virStream) -> None:
        file, _sha256 = source_file(machine)
        with file.open("rb") as source:
            while piece := source.read(_BLOCK):
                _send(stream, piece)
        stream.recv(len(b"done\n"))

    def pull(stream: libvirt.virStream) -> None:
        left = SIZE
        while left:
            left -= len(stream.recv(_BLOCK))

    return {"into": lambda: conversation("take", push), "out of": lambda: conversation("give", pull)}


def _send(stream: libvirt.virStream, data: bytes) -> None:
    while data:
        data = data[stream.send(data) :]
