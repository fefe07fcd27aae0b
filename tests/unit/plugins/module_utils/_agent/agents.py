# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Agents for the tests of a session: one that keeps to the protocol, and what makes them do as a test likes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import GuestUnreachable
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.kvmmanager import KvmmanagerGuest
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.session import Session
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline

WHERE = "the guest of 'web1'"
FACTS: dict[str, Any] = {"session": "s1", "version": 1, "clock": 100.0, "frames": True, "methods": ["ping"]}
Reply = Callable[[dict[str, Any], Any], Iterator[bytes]]  # what an agent says to a message and its payload


class Agent:
    """A channel with an agent at its other end, which answers ``hello`` as it should and all else as it likes.

    :ivar endless: what it says whenever it has nothing else to say.
    :ivar gone: whether the channel has broken.
    """

    def __init__(self, reply: Reply, **facts: Any) -> None:
        self.facts = {**FACTS, **facts}
        self.reply = reply
        self.sent = 0
        self.gone = False
        self.endless = b""
        self.methods: list[Any] = []
        self.waiting: deque[bytes] = deque()
        self._decoder = wire.Decoder()
        self._decoder.frames = True

    def send(self, data: bytes, deadline: Deadline) -> None:
        self._check()
        self.sent += len(data)
        for incoming in self._decoder.feed(data):
            self.methods.append(incoming.message.get("method"))
            hello = incoming.message.get("method") == "hello"
            self.waiting += self.hello(incoming.message) if hello else self.reply(*incoming[:2])

    def hello(self, message: dict[str, Any]) -> Iterator[bytes]:
        yield wire.RESET + b"\n" + wire.response(message["id"], self.facts)

    def receive(self, deadline: Deadline) -> bytes:
        if self.waiting:
            return self.waiting.popleft()
        self._check()
        if not self.endless:
            time.sleep(deadline.remaining or 0)
        return self.endless

    def close(self) -> None:
        self.gone = True

    def _check(self) -> None:
        if self.gone:
            raise GuestUnreachable("The connection broke.")


class DeafAgent(Agent):
    """Never answers ``hello``."""

    def hello(self, message: dict[str, Any]) -> Iterator[bytes]:
        yield from ()


def silent(_message: dict[str, Any], _payload: bytes | None) -> Iterator[bytes]:
    yield from ()


def answering(result: Any) -> Reply:
    def reply(message: dict[str, Any], _payload: bytes | None) -> Iterator[bytes]:
        if "id" in message:
            yield wire.response(message["id"], result)

    return reply


def ended(**more: Any) -> dict[str, Any]:
    return {"exit": 0, "signal": None, "stdout_truncated": False, "stderr_truncated": False, **more}


def opened(agent: Agent) -> Session:
    return Session(agent, WHERE, Deadline(2))


def guest_with(*agents: Agent) -> KvmmanagerGuest:
    rest = iter(agents)
    return KvmmanagerGuest(WHERE, lambda _deadline: opened(next(rest)), Deadline(2))
