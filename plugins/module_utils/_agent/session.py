# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A session with our guest agent over any channel of bytes: the host's end of agent/PROTOCOL.md."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Iterator
from typing import Any, Protocol

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.exchange import Exchange, Outgoing, Sink
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import GuestError, GuestUnreachable
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.wording import refusal, too_slow
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline

_EXPIRES = 10.0  # seconds after which the agent must not begin a request any more
_GRACE = 10.0  # seconds that the agent may take longer than a request's timeout, to stop a command and to say so
_FIRST_HELLO = 1.0  # seconds after which a hello without an answer is repeated, first
_QUIET = 5.0  # seconds without a word after which the agent is asked whether it is there
_DEAD = 20.0  # seconds after that question
_MOST_JUNK = 10_000  # messages that make no sense; some come where an earlier session was cut off


class ByteChannel(Protocol):
    """What a session needs of a channel; see `Channel`."""

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Queue bytes; `GuestUnreachable` when they cannot be queued until the deadline."""

    def receive(self, deadline: Deadline) -> bytes:
        """Some bytes, or none at the deadline."""

    def close(self) -> None:
        """Close it."""


class Session:
    """One conversation with the agent. For one thread; several requests may be under way.

    :param where: the guest in words, for messages.
    :param frames: whether to ask for raw frames.
    :ivar facts: the answer to ``hello``, checked as far as this class uses it.
    :ivar methods: what the guest's policy allows.
    :ivar sent: how many messages went to the agent.
    :ivar received: how many came from it, whatever they were.
    """

    def __init__(self, channel: ByteChannel, where: str, deadline: Deadline, frames: bool = True) -> None:
        """Shake hands.

        :raises GuestUnreachable: when the agent does not answer until the deadline, or speaks another version.
        """
        self._channel = channel
        self._where = where
        self._decoder = wire.Decoder()
        self._exchanges: dict[str, Exchange] = {}
        self._number = 0
        self._junk = 0
        self.sent = self.received = 0
        self._heard = time.monotonic()
        self._asked: float | None = None  # when the agent was asked whether it is still there
        self._question = ""  # the id of that request
        self.facts = self._hello(deadline, frames)
        self._token = _text(self.facts.get("session"))
        self._clock = _number(self.facts.get("clock")) - time.monotonic()
        self._frames = self._decoder.frames = frames and self.facts.get("frames") is True
        self.methods = frozenset(_text(name) for name in _list(self.facts.get("methods"), 1000))

    # --- requests

    def call(self, method: str, params: dict[str, Any], timeout: float, doing: str) -> dict[str, Any]:
        """The answer to a request that has no streams.

        :param timeout: seconds that the agent may take.
        :param doing: what it is for, to follow "cannot ".
        """
        return self.wait(self.begin(method, params, timeout), doing)

    def begin(
        self,
        method: str,
        params: dict[str, Any],
        timeout: float,
        sinks: dict[str, Sink] | None = None,
        outgoing: Outgoing | None = None,
        offset: int = 0,
    ) -> Exchange:
        """Send a request.

        :param sinks: what takes the pieces of each stream that comes; they begin at ``offset``.
        :param outgoing: the stream that goes with it.
        """
        self._number += 1
        identity = wire.request_id(self._token, self._number)
        asked = {name: value for name, value in params.items() if value is not None}
        asked["timeout"] = min(timeout, self._longest())
        asked["expires"] = round(time.monotonic() + self._clock + _EXPIRES, 3)
        line = wire.request(identity, method, asked)
        if len(line) > wire.MAX_LINE:
            raise GuestError(
                wire.TOO_LARGE,
                f"The request {method} for {self._where} has more than the {wire.MAX_LINE} bytes of a line. Send less.",
            )
        exchange = Exchange(identity, timeout, sinks or {}, outgoing, offset)
        self._exchanges[identity] = exchange
        self._send(line, Deadline(timeout))
        return exchange

    def wait(self, exchange: Exchange, doing: str) -> dict[str, Any]:
        """The answer to a request, while the streams of all requests move on.

        :raises GuestError: what the agent refuses; ``TIMED_OUT`` also when it keeps silent for too long.
        :raises GuestUnreachable: when it is gone.
        """
        deadline = Deadline(max(0.0, exchange.ends - time.monotonic()) + _GRACE)
        try:
            while exchange.answer is None and exchange.error is None:
                silence = self._silence if exchange.ends < time.monotonic() else 0.0
                if deadline.passed or silence > _QUIET:
                    raise too_slow(self._where, doing, exchange.timeout, silence)
                self._step(deadline)
        except BaseException:
            with contextlib.suppress(GuestUnreachable):
                self.cancel(exchange)
            raise
        finally:
            self._exchanges.pop(exchange.identity, None)
        if exchange.error is not None:
            raise refusal(self._where, doing, exchange.error, exchange.timeout)
        return exchange.answer or {}

    def cancel(self, exchange: Exchange) -> None:
        """Tell the agent to end a request."""
        self._send(wire.notification("cancel", {"of": exchange.identity}), Deadline(0))

    def close(self) -> None:
        """End the session; the agent stops what still runs. Never fails."""
        self._channel.close()

    @property
    def _silence(self) -> float:
        """Seconds since the agent was asked whether it is there and did not answer; 0 when nobody has had to ask."""
        return 0.0 if self._asked is None else time.monotonic() - self._asked

    def _longest(self) -> float:
        limits = self.facts.get("limits")
        seconds = limits.get("seconds") if isinstance(limits, dict) else None
        return float(seconds) if isinstance(seconds, (int, float)) and seconds > 0 else 86400.0

    # --- the conversation

    def _send(self, message: bytes, deadline: Deadline | None = None) -> None:
        self.sent += 1
        self._channel.send(message, _sooner(deadline or Deadline(_DEAD), _DEAD))

    def _receive(self, deadline: Deadline) -> list[wire.Incoming] | None:
        """The messages that have come; None when nothing comes until the deadline."""
        received = self._channel.receive(deadline)
        if not received:
            return None
        messages = list(self._decoder.feed(received))
        self.received += len(messages)
        return messages

    def _hello(self, deadline: Deadline, frames: bool) -> dict[str, Any]:
        patience = _FIRST_HELLO
        while not deadline.passed:
            exchange = self._exchanges.setdefault(nonce := os.urandom(16).hex(), Exchange(nonce, patience))
            asked = {"versions": list(wire.VERSIONS), "frames": frames, "client": "kvmmanager.libvirt"}
            self._send(wire.PREAMBLE + wire.request(nonce, "hello", asked), deadline)
            try:
                answer = self._answer(exchange, _sooner(deadline, patience))
            finally:
                del self._exchanges[nonce]
            if answer is not None:
                return answer
            patience *= 2
        raise GuestUnreachable(
            f"The agent in {self._where} has its port open but did not answer within {deadline.seconds or 0:g} "
            "seconds. Check in the guest that kvmmanager-agent runs and is not stuck, or allow more time."
        )

    def _answer(self, exchange: Exchange, deadline: Deadline) -> dict[str, Any] | None:
        while exchange.answer is None and exchange.error is None:
            messages = self._receive(deadline)
            if messages is None:
                return None
            for incoming in messages:
                # What came before this answer was for somebody else and is no sign of a bad guest.
                if "method" not in incoming.message and incoming.message.get("id") == exchange.identity:
                    exchange.settle(incoming.message)
            if exchange.answer is None and exchange.error is None and deadline.passed:
                return None  # it never stops talking, and does not say this
        if exchange.error is not None:
            raise GuestUnreachable(str(refusal(self._where, "open a session", exchange.error, 0)))
        return exchange.answer

    def _step(self, deadline: Deadline) -> None:
        """Send what there is credit for, and take what comes."""
        for exchange in list(self._exchanges.values()):
            for message in exchange.pieces(self._frames):
                self._send(message, deadline)
        more = any(exchange.can_send for exchange in self._exchanges.values())
        messages = self._receive(_sooner(deadline, 0 if more else _QUIET))
        if messages is None:
            self._check_presence()
            return
        self._heard, self._asked = time.monotonic(), None
        for incoming in messages:
            for message in self._take(incoming):
                self._send(message)

    def _check_presence(self) -> None:
        """The port does not tell when the agent ends, or is started again and knows nothing of this session."""
        now = time.monotonic()
        if self._asked is None and now - self._heard >= _QUIET:
            self._asked = now
            self._number += 1
            self._question = wire.request_id(self._token, self._number)
            expires = round(now + self._clock + _DEAD, 3)
            self._send(wire.request(self._question, "ping", {"expires": expires}))
        elif self._asked is not None and now - self._asked >= _DEAD:
            raise GuestUnreachable(
                f"The agent in {self._where} has not said anything for {now - self._heard:.0f} seconds: it was stopped "
                "or started again, or the guest hangs. Look at the guest, then run the task again."
            )

    def _take(self, incoming: wire.Incoming) -> Iterator[bytes]:
        """Give a message to its request; yields what is to be sent for it."""
        message = incoming.message
        method = message.get("method")
        params = message.get("params", {})
        identity = message.get("id") if method is None else params.get("of")
        exchange = self._exchanges.get(identity) if isinstance(identity, str) else None
        if method is None and identity == self._question and _is_of_no_session(message):
            # What runs may have begun, so it is not made again, as a request with this answer would be.
            raise GuestUnreachable(
                f"The agent in {self._where} was started again, or another program ended the session with it, before "
                "it had answered. Look at the guest, then run the task again."
            )
        if exchange is None or incoming.error is not None:
            self._count_junk()
        elif method is None:
            exchange.settle(message)
        elif method == "credit":
            exchange.grant(params)
        elif method == "data":
            yield from exchange.take(params, bytes(incoming.payload or b""))

    def _count_junk(self) -> None:
        # Answers to questions of presence, and what a request sends that has ended: few.
        self._junk += 1
        if self._junk > _MOST_JUNK:
            raise GuestUnreachable(
                f"{self._where.capitalize()} sends what nobody asked for. Check what runs on its port."
            )


def _sooner(deadline: Deadline, seconds: float) -> Deadline:
    remaining = deadline.remaining
    return Deadline(seconds if remaining is None else min(seconds, remaining))


def _is_of_no_session(answer: dict[str, Any]) -> bool:
    error = answer.get("error")
    return isinstance(error, dict) and error.get("code") == wire.NO_SESSION


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= 256 else ""


def _number(value: Any) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else 0.0


def _list(value: Any, most: int) -> list[Any]:
    return value[:most] if isinstance(value, list) else []
