# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bytes of a port, whose stream says too much, takes nothing or breaks; and the turn at it."""

from __future__ import annotations

import pathlib
import threading
import time
from collections.abc import Callable
from typing import Any

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import channel as module
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.channel import Channel
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import GuestUnreachable
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.lock import PortLock
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.outbox import _MOST_WAITING
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.ports import choose_agent, what_is_missing
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import parse

WHERE = "the guest of 'web1'"


class Stream:
    """A stream that does not block, as libvirt has them.

    :ivar gives: what it gives, block by block; then nothing yet.
    :ivar take: takes a block: how many bytes of it.
    """

    def __init__(self, take: Callable[[bytes], int] = len, gives: tuple[bytes, ...] = ()) -> None:
        self.gives = list(gives)
        self.take = take
        self.sent = bytearray()
        self.calls = 0
        self.event: Any = None

    def eventAddCallback(self, _events: int, function: Any, _opaque: None) -> None:
        self.event = function

    def eventRemoveCallback(self) -> None:
        self.event = None

    def recv(self, _size: int) -> Any:
        return self.gives.pop(0) if self.gives else -2

    def send(self, data: bytes) -> int:
        self.calls += 1
        taken = self.take(data)
        self.sent += data[: max(0, taken)]
        return taken

    def abort(self) -> None:
        pass


def reach(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    deadline = Deadline(10)
    while not condition():
        assert not deadline.passed
        time.sleep(0.005)


def test_what_comes_is_given_before_the_end() -> None:
    stream = Stream(gives=(b"one", b"two", b""))
    opened = Channel(stream, WHERE)
    stream.event(None, 0, None)
    assert (opened.receive(Deadline(1)), opened.receive(Deadline(1))) == (b"one", b"two")
    with pytest.raises(GuestUnreachable, match="was switched off or started again, or its port was removed"):
        opened.receive(Deadline(1))
    assert stream.event is None


def test_a_guest_that_sends_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_WAITING", 1000)
    stream = Stream(gives=(b"x" * 600,) * 100)
    opened = Channel(stream, WHERE)
    stream.event(None, 0, None)
    assert len(stream.gives) == 98
    assert len(opened.receive(Deadline(1)) + opened.receive(Deadline(1))) == 1200
    with pytest.raises(GuestUnreachable, match="the guest sent more than it was asked for"):
        opened.receive(Deadline(1))


def test_all_is_sent_in_order() -> None:
    stream = Stream(lambda data: min(len(data), 1000))
    opened = Channel(stream, WHERE)
    pieces = [bytes([number]) * 3000 for number in range(20)]
    for piece in pieces:
        opened.send(piece, Deadline(5))
    reach(lambda: len(stream.sent) == 60_000)
    assert stream.sent == b"".join(pieces)


@pytest.mark.parametrize("blocks", [True, False], ids=["send blocks", "send takes nothing"])
def test_a_stream_that_takes_nothing_is_given_up_in_time(blocks: bool) -> None:
    never = threading.Event()
    stream = Stream(lambda _data: int(never.wait(30)) if blocks else -2)
    opened = Channel(stream, WHERE)
    opened.send(b"x" * _MOST_WAITING, Deadline(1))
    begun = time.monotonic()
    with pytest.raises(GuestUnreachable, match="nothing more went into its port within"):
        opened.send(b"y", Deadline(0.3))
    with pytest.raises(GuestUnreachable, match="nothing more went into its port"):
        opened.receive(Deadline(1))
    opened.close()
    assert time.monotonic() - begun < 2
    assert stream.calls < 50  # it does not spin
    never.set()


def test_a_stream_that_breaks_says_why() -> None:
    def breaks(_data: bytes) -> int:
        raise libvirt.libvirtError("It broke.")

    opened = Channel(Stream(breaks), WHERE)
    opened.send(b"x", Deadline(1))
    with pytest.raises(GuestUnreachable, match=r"The connection to the guest of 'web1' broke: It broke\."):
        opened.receive(Deadline(5))
    with pytest.raises(GuestUnreachable, match="It broke"):
        opened.send(b"x", Deadline(1))


# --- the turn


@pytest.fixture
def runtime(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def lock(port: str = "port") -> PortLock:
    return PortLock("test:///default", "uuid", port)


@pytest.mark.usefixtures("runtime")
def test_a_port_is_for_one_at_a_time() -> None:
    first, second, third = lock(), lock(), lock()
    assert first.acquire(Deadline(0))
    assert lock("another").acquire(Deadline(0))
    assert not second.acquire(Deadline(0.05))  # gives up, and must not take it later
    threading.Timer(0.1, first.release).start()
    assert third.acquire(Deadline(10))
    third.release()
    third.release()
    reach(lambda: second.acquire(Deadline(0.05)))


def test_a_lock_that_cannot_be_made_is_a_sentence(runtime: pathlib.Path) -> None:
    held = lock()
    assert held.acquire(Deadline(0))
    held.release()
    (place,) = (runtime / f"kvmmanager-{runtime.stat().st_uid}").iterdir()
    place.unlink()
    place.mkdir()
    with pytest.raises(Failure, match="Cannot lock .*: Is a directory. Check the folder"):
        lock().acquire(Deadline(0))


def test_a_folder_for_locks_that_others_can_write_into_is_refused(runtime: pathlib.Path) -> None:
    folder = runtime / f"kvmmanager-{runtime.stat().st_uid}"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(Failure, match="is open to others. Remove it"):
        lock()


# --- the choice

OURS, QEMU = "org.kvmmanager.agent.0", "org.qemu.guest_agent.0"


def live(ports: dict[str, str], running: bool = True) -> Any:
    targets = "".join(f"<channel><target name='{name}' state='{state}'/></channel>" for name, state in ports.items())
    identity = "id='1'" if running else ""
    return parse(f"<domain {identity}><devices>{targets}</devices></domain>")


@pytest.mark.parametrize(
    ("wanted", "ports", "chosen"),
    [
        ("auto", {QEMU: "connected", OURS: "connected"}, "kvmmanager"),
        ("auto", {QEMU: "connected", OURS: "disconnected"}, "qemu"),
        ("auto", {QEMU: "disconnected"}, None),
        ("auto", {}, None),
        ("qemu", {QEMU: "connected", OURS: "connected"}, "qemu"),
        ("kvmmanager", {QEMU: "connected"}, None),
        ("kvmmanager", {QEMU: "connected", OURS: ""}, None),
    ],
)
def test_the_agent_is_the_better_one_that_is_connected(wanted: str, ports: dict[str, str], chosen: str | None) -> None:
    assert choose_agent(live(ports), wanted) == chosen
    assert choose_agent(live(ports, running=False), wanted) is None


@pytest.mark.parametrize(
    ("wanted", "ports", "words"),
    [
        ("auto", {}, f"has no port {OURS} or {QEMU} for a guest agent. Add it to the domain's channels"),
        ("auto", {OURS: "disconnected"}, f"No agent has opened the port {OURS} in the guest of 'web1' after 5 seconds"),
        ("kvmmanager", {OURS: "disconnected", QEMU: "connected"}, "There is qemu-guest-agent: set agent to qemu"),
    ],
)
def test_what_is_missing_is_said(wanted: str, ports: dict[str, str], words: str) -> None:
    assert words in what_is_missing(live(ports), "web1", wanted, 5)
    assert "does not run after 5 seconds" in what_is_missing(live(ports, running=False), "web1", wanted, 5)
