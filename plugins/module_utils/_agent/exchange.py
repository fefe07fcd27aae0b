# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One request to our guest agent, with its streams in both directions. Pure: no channel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire

Sink = Callable[[bytes], Any]


class Readable(Protocol):
    """What a stream can be made from."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""


class Outgoing:
    """A stream to the agent.

    :param stream: its name.
    :param source: where its bytes come from.
    :param seek: called with the offset where the agent wants it to begin; then nothing is sent before that. None:
        it begins at 0 with the request.
    """

    def __init__(self, stream: str, source: Readable, seek: Callable[[int], Any] | None = None) -> None:
        self.stream = stream
        self._source = source
        self._seek = seek
        self._sent = None if seek is not None else wire.Sent()
        self._piece: bytes | None = None  # read and not yet sent
        self._ended = False

    def grant(self, limit: int, begin: Any) -> None:
        """Take credit; the first one may say where to begin."""
        if self._sent is not None:
            self._sent.grant(limit)
        elif self._seek is not None and _is_offset(begin):
            self._seek(begin)
            self._sent = wire.Sent(begin)
            self._sent.grant(limit)

    def pieces(self) -> Iterator[tuple[int, bytes, bool]]:
        """What may be sent now: offset, piece, and whether it is the last. At most a window's worth at a time.

        However much credit a guest gives, deadlines are looked at and answers are read in between.
        """
        end = wire.WINDOW + (0 if self._sent is None else self._sent.offset)
        while self._sent is not None and self.can_send and self._sent.offset < end:
            if self._piece is None:
                self._piece = self._source.read(wire.MAX_PAYLOAD)
            piece = self._piece[: self._sent.room]
            rest = self._piece[len(piece) :]
            # One piece is read ahead, so that the last one can say so.
            self._piece = rest or (self._source.read(wire.MAX_PAYLOAD) if piece else b"")
            self._ended = not self._piece
            offset = self._sent.offset
            self._sent.offset += len(piece)
            yield offset, piece, self._ended

    @property
    def can_send(self) -> bool:
        """Whether there is both something left to send, and credit for it."""
        return self._sent is not None and not self._ended and self._sent.room > 0


class Exchange:
    """A request that is under way.

    :ivar ends: when its time is over, on `time.monotonic`.
    :ivar answer: its result, once it has come.
    :ivar error: the error of its answer, or what was wrong with its streams.
    """

    def __init__(
        self,
        identity: str,
        timeout: float,
        sinks: dict[str, Sink] | None = None,
        outgoing: Outgoing | None = None,
        offset: int = 0,
    ) -> None:
        self.identity = identity
        self.timeout = timeout
        self.ends = time.monotonic() + timeout
        self.answer: dict[str, Any] | None = None
        self.error: wire.WireError | None = None
        self._sinks = sinks or {}
        self._received = {stream: wire.Received(offset) for stream in self._sinks}
        self._outgoing = outgoing

    def settle(self, message: dict[str, Any]) -> None:
        """Take the answer."""
        if "error" not in message:
            result = message.get("result")
            if isinstance(result, dict):
                self.answer = result
            else:
                self.error = wire.WireError(wire.INVALID_REQUEST, "its answer is not an object")
            return
        error = message["error"] if isinstance(message["error"], dict) else {}
        code, text, data = error.get("code"), error.get("message"), error.get("data")
        self.error = wire.WireError(
            code if isinstance(code, int) and not isinstance(code, bool) else wire.INTERNAL_ERROR,
            text if isinstance(text, str) else "it did not say why",
            data if isinstance(data, dict) else None,
        )

    def grant(self, params: dict[str, Any]) -> None:
        """Take credit for the outgoing stream."""
        limit = params.get("limit")
        if (
            self._outgoing is not None
            and params.get("stream") == self._outgoing.stream
            and isinstance(limit, int)
            and _is_offset(limit)
        ):
            self._outgoing.grant(limit, params.get("from"))

    def take(self, params: dict[str, Any], payload: bytes) -> Iterator[bytes]:
        """Take a piece of an incoming stream; yields the credit that follows from it."""
        stream = params.get("stream")
        if self.error is not None or not isinstance(stream, str) or stream not in self._sinks:
            return
        received = self._received[stream]
        try:
            received.take(params.get("offset"), len(payload), params.get("eof") is True)
        except wire.WireError as error:
            self.error = error
            yield wire.notification("cancel", {"of": self.identity})
            return
        if payload:
            self._sinks[stream](payload)
        limit = received.consume(len(payload))
        if limit is not None:
            yield wire.notification("credit", {"of": self.identity, "stream": stream, "limit": limit})

    def pieces(self, frames: bool) -> Iterator[bytes]:
        """Messages of the outgoing stream that there is credit for."""
        if self._outgoing is None or not self.can_send:
            return
        for offset, piece, last in self._outgoing.pieces():
            yield wire.data(self.identity, self._outgoing.stream, offset, piece, last, frames)

    @property
    def can_send(self) -> bool:
        """Whether more of the outgoing stream may be sent at once."""
        waits = self.answer is None and self.error is None
        return waits and self._outgoing is not None and self._outgoing.can_send


def _is_offset(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
