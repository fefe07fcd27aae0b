# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bytes on their way into a stream that may stop taking them. Pure: knows nothing of libvirt."""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline

_BLOCK = 256 * 1024  # bytes handed on at once; libvirt carries at most so many in a message
_MOST_WAITING = 512 * 1024  # bytes that may wait to be handed on; then whoever adds some waits
_FIRST_PAUSE = 0.001  # seconds until a stream that takes nothing now is tried again
_LONGEST_PAUSE = 0.25


class Outbox:
    """Hands bytes on in a thread of its own, for handing on may block, for ever if it likes, and cannot be interrupted.

    :param give: takes some bytes, and tells how many of them; none or less when it takes nothing now.
    :param failed: is told what ``give`` raised; nothing is handed on after that.
    """

    def __init__(self, give: Callable[[bytes], int], failed: Callable[[Exception], None]) -> None:
        self._give = give
        self._failed = failed
        self._pieces: collections.deque[memoryview] = collections.deque()
        self._size = 0
        self._ended = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, data: bytes, deadline: Deadline) -> bool:
        """Queue bytes; False, and the bytes are not queued, when too many still wait at the deadline."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._size < _MOST_WAITING, deadline.remaining)
            if self._ended or self._size >= _MOST_WAITING:
                return self._ended  # what comes after the end goes nowhere
            self._pieces.append(memoryview(data))
            self._size += len(data)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="guest-outbox", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return True

    def close(self) -> None:
        """Hand on nothing more. The thread ends, unless it is stuck."""
        with self._changed:
            self._ended = True
            self._pieces.clear()
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ended or self._pieces)
                if self._ended:
                    return
                piece = self._pieces.popleft()
            try:
                self._hand_on(piece)
            except Exception as error:  # whatever it is, somebody else must hear of it
                self.close()
                self._failed(error)
                return

    def _hand_on(self, rest: memoryview) -> None:
        pause = _FIRST_PAUSE
        while rest and not self._ended:
            taken = self._give(bytes(rest[:_BLOCK]))
            with self._changed:
                if taken <= 0:
                    self._changed.wait_for(lambda: self._ended, pause)
                    pause = min(pause * 1.5, _LONGEST_PAUSE)
                    continue
                pause = _FIRST_PAUSE
                rest = rest[taken:]
                self._size -= taken
                self._changed.notify_all()
