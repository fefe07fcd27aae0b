# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One deadline for a whole piece of work, and calls that give up when it has passed."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any


class TimedOut(Exception):
    """A call had not returned when its time was up. It may still complete in the background."""


class Deadline:
    """A point in time that all waiting of one piece of work shares.

    :param seconds: from now; None never passes.
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def remaining(self) -> float | None:
        """Seconds left, never negative; None without a limit."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.remaining == 0.0


def call_within(seconds: float | None, function: Callable[..., Any], *args: Any) -> Any:
    """The result of ``function(*args)``, or `TimedOut` after ``seconds`` (None: no limit).

    libvirt has no timeout of its own for a call, and a blocked call cannot be interrupted. It is left behind
    in a daemon thread, which does not keep the process alive.
    """
    if seconds is None:
        return function(*args)
    outcome: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcome.put((True, function(*args)))
        except BaseException as error:  # handed to the caller, whatever it is
            outcome.put((False, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        succeeded, value = outcome.get(timeout=seconds)
    except queue.Empty:
        raise TimedOut from None
    if not succeeded:
        raise value
    return value
