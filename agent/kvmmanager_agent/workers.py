# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads that run requests, one each, so that none delays another."""

import threading
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from . import wire
from .jobs import Job
from .registry import Method


class Work(NamedTuple):
    """A request to run."""

    job: Job
    method: Method
    values: Dict[str, Any]


class Workers:
    """The requests that run now.

    One thread that has nothing left to do waits for the next request: to start a thread takes an emulated guest longer
    than most requests do.

    :param changed: the agent's condition.
    :param answer: called as ``answer(job, method, outcome)`` with ``changed`` held, when a request has ended.
    """

    def __init__(self, changed: threading.Condition, answer: Callable[[Job, str, Any], None]) -> None:
        self._changed = changed
        self._answer = answer
        self._jobs: Dict[Job, str] = {}
        self._idle: Optional[_Place] = None

    @property
    def count(self) -> int:
        """How many requests run, those of ended sessions included."""
        return len(self._jobs)

    def start(self, job: Job, method: Method, values: Dict[str, Any]) -> None:
        """Run a request in a thread; ``changed`` is held."""
        work = Work(job, method, values)
        idle, self._idle = self._idle, None
        if idle is not None:
            idle.give(work)
        else:
            self._start_thread(work)
        self._jobs[job] = method.name

    def poke(self) -> None:
        """Have all requests look at what they wait for."""
        for job in self._jobs:
            job.poke()

    def _start_thread(self, work: Work) -> None:
        place = _Place()
        place.give(work)
        try:
            threading.Thread(target=self._run, args=(place,), daemon=True).start()
        except RuntimeError:
            raise wire.WireError(wire.BUSY, "the guest has no thread left for this") from None

    def _run(self, place: "_Place") -> None:
        while self._run_one(place):
            pass

    def _run_one(self, place: "_Place") -> bool:
        """Wait for a request and run it; whether another one may be given to this thread."""
        job, method, values = place.take()
        outcome = method.call(job, values)
        with self._changed:
            del self._jobs[job]
            self._answer(job, method.name, outcome)
            self._changed.notify_all()
            if self._idle is not None:
                return False
            self._idle = place
            return True


class _Place:
    """Where a thread is given its next request."""

    def __init__(self) -> None:
        self._work: List[Work] = []
        self._given = threading.Lock()
        self._given.acquire()

    def give(self, work: Work) -> None:
        """Hand over a request, once the one before was taken."""
        self._work.append(work)
        self._given.release()

    def take(self) -> Work:
        """Wait for a request."""
        self._given.acquire()
        return self._work.pop()
