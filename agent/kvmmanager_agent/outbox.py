# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What waits to be written to the port: answers and credit first, bulk data after them."""

import collections
import threading
from typing import Callable, Deque, Iterable, List, Tuple

from . import wire

_BATCH = 32 * 1024  # small messages are written together, up to this size
_BULK_LIMIT = 256 * 1024  # more than this much bulk data need not wait here
_TURN = 256 * 1024  # bytes after which something else has its turn, however much there is to write
_CONTROL_LIMIT = 256 * 1024  # a host that does not read so many bytes of answers is not read from either


class Outbox:
    """Two queues of whole messages. Workers fill them, the event loop alone empties them.

    :param changed: held around all calls but `flush`; workers wait on it for room.
    :param wake: tells the event loop that there is something to write.
    """

    def __init__(self, changed: threading.Condition, wake: Callable[[], None]) -> None:
        self._changed = changed
        self._wake = wake
        self._control: Deque[bytes] = collections.deque()
        self._bulk: Deque[Tuple[wire.Payload, ...]] = collections.deque()
        self._control_size = 0
        self._bulk_size = 0
        self._current: List[memoryview] = []

    @property
    def has_room(self) -> bool:
        """Whether bulk data may be added."""
        return self._bulk_size < _BULK_LIMIT

    @property
    def is_empty(self) -> bool:
        """Whether everything was written."""
        return not (self._current or self._control or self._bulk)

    @property
    def is_clogged(self) -> bool:
        """Whether so many answers wait that no more requests should be read."""
        return self._control_size >= _CONTROL_LIMIT

    def put(self, message: bytes) -> None:
        """Queue a message that overtakes bulk data."""
        self._wake_if_idle()
        self._control.append(message)
        self._control_size += len(message)

    def put_bulk(self, *parts: wire.Payload) -> None:
        """Queue a message in the order of the bulk data; the caller has asked for room."""
        self._wake_if_idle()
        self._bulk.append(parts)
        self._bulk_size += _size(parts)

    def _wake_if_idle(self) -> None:
        # What waits already has woken the event loop, or does so when the port takes more.
        if self.is_empty:
            self._wake()

    def clear(self) -> None:
        """Forget everything, also the rest of a half-written message: its reader is gone."""
        self._control.clear()
        self._bulk.clear()
        self._control_size = self._bulk_size = 0
        self._current = []
        self._changed.notify_all()

    def flush(self, write: Callable[[List[memoryview]], int]) -> bool:
        """Write until ``write`` takes no more, nothing is left, or others must have a turn before the next flush.

        The one call for which ``changed`` is not held: to write takes time, in which workers go on.

        :return: whether there is more room for bulk data now.
        """
        more = False
        left = _TURN
        while left > 0:
            with self._changed:
                more = (not self._current and self._refill()) or more
                current = self._current
            written = write(current) if current else 0
            if not written:
                return more
            # A worker that still sees the old one wakes nobody, and is looked for above.
            self._current = _after(current, written)
            left -= written
        # Workers may fill it as fast as it is written, and nothing that the host says would be read meanwhile.
        if not self.is_empty:
            self._wake()
        return more

    def _refill(self) -> bool:
        """Take what goes next; whether that makes room for bulk data."""
        batch: List[wire.Payload] = []
        size = 0
        while self._control and size < _BATCH:
            batch.append(self._control.popleft())
            size += len(batch[-1])
        self._control_size -= size
        batch = [b"".join(batch)]
        before = self._bulk_size
        while self._bulk and (not size or size + _size(self._bulk[0]) <= _BATCH):
            parts = self._bulk.popleft()
            batch.extend(parts)
            size += _size(parts)
            self._bulk_size -= _size(parts)
        if size <= _BATCH:
            # To copy little costs less than a buffer of the port for each part: it has few.
            batch = [b"".join(batch)]
        self._current = [memoryview(part) for part in batch if part]
        if self._bulk_size == before:
            return False
        self._changed.notify_all()
        return True


def _size(parts: Iterable[wire.Payload]) -> int:
    return sum(map(len, parts))


def _after(memory: List[memoryview], size: int) -> List[memoryview]:
    """What is left of it behind the first ``size`` bytes."""
    for index, piece in enumerate(memory):
        if size < len(piece):
            return [piece[size:], *memory[index + 1 :]]
        size -= len(piece)
    return []
