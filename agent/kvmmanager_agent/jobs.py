# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request while it runs: its deadline, its cancellation, and the streams between it and the host."""

import collections
import contextlib
import threading
import time
from typing import Any, Callable, ClassVar, Deque, Dict, Iterable, Iterator, List, Optional, Tuple

from . import wire
from .outbox import Outbox
from .policy import Policy

_SMALL = 16 * 1024  # bytes of a piece that is worth copying
_MANY = 256 * 1024  # bytes that handlers take at once: as each hand-over takes time, too


class Incoming:
    """A stream from the host: what has come and was not used yet, never more than the credit.

    :ivar pieces: none longer than a message's. Large ones are kept as they came, for copies would double the memory;
        small ones are put together, or a host that sends single bytes would cost many times what it sends.
    """

    def __init__(self, offset: int = 0) -> None:
        self.received = wire.Received(offset)
        self.pieces: Deque[wire.Payload] = collections.deque()

    def add(self, offset: Any, payload: wire.Payload, eof: bool) -> None:
        """Take a piece; `WireError` when it is not the next one."""
        self.received.take(offset, len(payload), eof)
        last: wire.Payload = self.pieces[-1] if self.pieces else b""
        if isinstance(last, bytearray) and len(last) + len(payload) <= wire.MAX_PAYLOAD:
            last += payload
        elif payload:
            self.pieces.append(payload if len(payload) > _SMALL else bytearray(payload))

    def take(self, most: int) -> List[wire.Payload]:
        """Take out what has come: one piece, or as many as ``most`` bytes hold."""
        pieces: List[wire.Payload] = []
        size = 0
        while self.pieces and (not pieces or size + len(self.pieces[0]) <= most):
            pieces.append(self.pieces.popleft())
            size += len(pieces[-1])
        return pieces


class Job:
    """One request. Its handler runs in a worker; the event loop delivers what the host sends for it.

    :param session: has ``frames`` and ``jobs``, the other requests of the same host.

    All waiting is on the one condition ``changed`` that the whole agent shares. Methods that say so need it held.
    """

    _claims: ClassVar[Dict[Any, "Job"]] = {}

    def __init__(
        self, identity: str, session: Any, changed: threading.Condition, outbox: Outbox, policy: Policy, timeout: float
    ) -> None:
        self.identity = identity
        self.session = session
        self.policy = policy
        self.started = time.monotonic()
        self.pushed = False  # it has sent bulk data, which its answer must not overtake
        self.abandoned = False  # its session is over: nothing of it is sent any more
        self.subject = ""  # what the audit line says it was about: a path or a program, never content
        self._changed = changed
        self._outbox = outbox
        self._deadline = self.started + timeout
        self._timeout = timeout
        self._ended: Optional[wire.WireError] = None
        self.send_signal: Optional[Callable[[int], None]] = None  # while it has a command that runs
        self._poke: Callable[[], None] = lambda: None
        self._sent: Dict[str, wire.Sent] = {}
        self._incoming: Dict[str, Incoming] = {}

    # --- for the event loop, which holds ``changed``

    def end(self, error: wire.WireError) -> None:
        """Tell the handler to stop; its answer will be this error."""
        self._ended = self._ended or error
        self.poke()
        self._changed.notify_all()

    def poke(self) -> None:
        """Wake a handler that waits for descriptors."""
        self._poke()

    def accept(self, stream: str) -> None:
        """Open a stream that the host may send as soon as it has sent the request."""
        self._incoming[stream] = Incoming()

    def deliver(self, params: Dict[str, Any], payload: wire.Payload) -> None:
        """Take a piece of a stream; one that does not fit ends the job."""
        stream, eof = params.get("stream"), params.get("eof") is True
        try:
            if not isinstance(stream, str) or stream not in self._incoming:
                raise wire.WireError(wire.BAD_STREAM, "this request has no such stream to send to")
            self._incoming[stream].add(params.get("offset"), payload, eof)
        except wire.WireError as error:
            self.end(error)
            return
        self.poke()
        self._changed.notify_all()

    def grant(self, params: Dict[str, Any]) -> None:
        """Take credit for a stream that this job sends."""
        stream, limit = params.get("stream"), params.get("limit")
        if isinstance(stream, str) and isinstance(limit, int) and stream in self._sent:
            self._sent[stream].grant(limit)
            self.poke()
            self._changed.notify_all()

    # --- for the handler

    @property
    def remaining(self) -> float:
        """Seconds until the request times out, never negative."""
        return max(0.0, self._deadline - time.monotonic())

    @property
    def at_once(self) -> int:
        """Bytes to take at once: all requests together no more than one alone, as they keep them beside the credit."""
        return _MANY // max(1, len(self.session.jobs))

    def check(self) -> None:
        """Raise what ended this job: cancellation, a lost session, or its time."""
        if self._ended is None and not self.remaining:
            self._ended = wire.WireError(wire.TIMED_OUT, f"not done within {self._timeout:g} seconds")
        if self._ended is not None:
            raise self._ended

    @contextlib.contextmanager
    def alone(self, key: Any) -> Iterator[None]:
        """Be the only request that works on something. One that has been told to stop is waited for."""
        with self._changed:
            while key in self._claims:
                if self._claims[key]._ended is None:
                    raise wire.WireError(wire.BUSY, "the same is under way already")
                self.check()
                self._changed.wait(self.remaining)
            self._claims[key] = self
        try:
            yield
        finally:
            with self._changed:
                del self._claims[key]
                self._changed.notify_all()

    def wait_until(self, true: Callable[[], bool]) -> None:
        """Wait for what another thread will `tell`."""
        with self._changed:
            while not true():
                self.check()
                self._changed.wait(self.remaining)

    def tell(self, change: Callable[[], None]) -> None:
        """Make a change that a request waits for."""
        with self._changed:
            change()
            self._changed.notify_all()

    def on_change(self, poke: Callable[[], None]) -> None:
        """Have ``poke`` called when anything changes for this job, with ``changed`` held.

        When this returns the former one is not called any more, so that what it writes to can be closed.
        """
        with self._changed:
            self._poke = poke

    def expect(self, stream: str, offset: int = 0) -> None:
        """Open a stream from the host, unless it is open, and tell the host where to begin."""
        with self._changed:
            if stream not in self._incoming:
                incoming = self._incoming[stream] = Incoming(offset)
                self._credit(stream, incoming.received.limit, offset)

    def begin(self, stream: str, offset: int) -> None:
        """Open a stream to the host that does not begin at 0."""
        with self._changed:
            self._sent[stream] = wire.Sent(offset)

    def receive(self, stream: str) -> Tuple[List[wire.Payload], bool]:
        """Wait for the next pieces of a stream from the host, many at once if they are there; True with the last."""
        with self._changed:
            while True:
                self.check()
                found = self._taken(stream, self.at_once)
                if found is not None:
                    return found
                self._changed.wait(self.remaining)

    def received(self, stream: str) -> Optional[Tuple[bytes, bool]]:
        """What has come of a stream from the host, at most one message's worth; None when that is nothing."""
        with self._changed:
            found = self._taken(stream, 0)
        return None if found is None else (b"".join(found[0]), found[1])

    def _taken(self, stream: str, most: int) -> Optional[Tuple[List[wire.Payload], bool]]:
        incoming = self._incoming[stream]
        if not incoming.pieces and not incoming.received.ended:
            return None
        pieces = incoming.take(most)
        limit = incoming.received.consume(sum(map(len, pieces)))
        if limit is not None:
            self._credit(stream, limit)
        return pieces, incoming.received.ended and not incoming.pieces

    def rest(self, stream: str) -> Iterable[wire.Payload]:
        """The pieces that have come of a stream from the host and were not used when the request was over."""
        with self._changed:
            return self._incoming.pop(stream, Incoming()).pieces

    def send(self, stream: str, payload: wire.Payload, eof: bool = False) -> None:
        """Wait for credit and room, then send all of ``payload``."""
        while payload or eof:
            size = min(len(payload), self._wait_for_room(stream)) if payload else 0
            rest = payload[size:]
            self.push(stream, payload[:size], eof and not rest)
            payload, eof = rest, eof and bool(rest)

    def _wait_for_room(self, stream: str) -> int:
        with self._changed:
            while True:
                self.check()
                size = self.room(stream)
                if size:
                    return size
                self._changed.wait(self.remaining)

    def room(self, stream: str) -> int:
        """How many bytes of a stream can be sent without waiting."""
        with self._changed:
            sent = self._sent.setdefault(stream, wire.Sent())
            return min(wire.MAX_PAYLOAD, sent.room) if self._outbox.has_room else 0

    def push(self, stream: str, payload: wire.Payload, eof: bool = False) -> None:
        """Send a piece for which there is room; one without content needs none."""
        sent = self._sent.setdefault(stream, wire.Sent())
        # This takes time, in which the event loop goes on. Nobody else sends for this job.
        parts = wire.data_parts(self.identity, stream, sent.offset, payload, eof, self.session.frames)
        with self._changed:
            if not self.abandoned:
                self._outbox.put_bulk(*parts)
            sent.offset += len(payload)
            self.pushed = True

    def _credit(self, stream: str, limit: int, begin: Optional[int] = None) -> None:
        if self.abandoned:
            return
        params: Dict[str, Any] = {"of": self.identity, "stream": stream, "limit": limit}
        if begin is not None:
            params["from"] = begin
        self._outbox.put(wire.notification("credit", params))
