# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Threads that run requests, one each, so that none delays another."""

import threading
from typing import Any, Callable, Dict

from . import wire
from .jobs import Job
from .registry import Method


class Workers:
    """The requests that run now.

    :param changed: the agent's condition.
    :param answer: called as ``answer(job, method, outcome)`` with ``changed`` held, when a request has ended.
    """

    def __init__(self, changed: threading.Condition, answer: Callable[[Job, str, Any], None]) -> None:
        self._changed = changed
        self._answer = answer
        self._jobs: Dict[Job, str] = {}

    @property
    def count(self) -> int:
        """How many requests run, those of ended sessions included."""
        return len(self._jobs)

    def start(self, job: Job, method: Method, values: Dict[str, Any]) -> None:
        """Run a request in a thread; ``changed`` is held."""
        try:
            threading.Thread(target=self._work, args=(job, method, values), daemon=True).start()
        except RuntimeError:
            raise wire.WireError(wire.BUSY, "the guest has no thread left for this") from None
        self._jobs[job] = method.name

    def poke(self) -> None:
        """Have all requests look at what they wait for."""
        for job in self._jobs:
            job.poke()

    def _work(self, job: Job, method: Method, values: Dict[str, Any]) -> None:
        outcome = method.call(job, values)
        with self._changed:
            del self._jobs[job]
            self._answer(job, method.name, outcome)
            self._changed.notify_all()
