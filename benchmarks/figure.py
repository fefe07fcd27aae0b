# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One measured figure beside what it is compared with, as a line that a person and a script can read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A figure and its goal.

    :ivar name: what was measured.
    :ivar ours: the figure of this collection.
    :ivar theirs: that of what a user would pick instead, or the limit that ours may reach.
    :ivar unit: of both: ``s``, ``MiB``, ``calls`` …
    :ivar goal: how many times better ours must be; 1 for a limit.
    :ivar larger_is_better: for a throughput, say; a time or an amount of memory is better when it is smaller.
    :ivar bare: what the plainest program reaches, in the same run, that does only what nobody can leave out; None where
        that was not measured. It shows how much room there is, and proves nothing: another way might be quicker.
    """

    name: str
    ours: float
    theirs: float
    unit: str
    goal: float = 1.0
    larger_is_better: bool = False
    bare: float | None = None

    @property
    def ratio(self) -> float:
        """How many times better ours is."""
        return self._better_than_theirs(self.ours)

    @property
    def bare_ratio(self) -> float | None:
        """How many times better than theirs the plainest program is."""
        return None if self.bare is None else self._better_than_theirs(self.bare)

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached."""
        return self.ratio >= self.goal

    def _better_than_theirs(self, figure: float) -> float:
        better, worse = (self.theirs, figure) if self.larger_is_better else (figure, self.theirs)
        return worse / better if better > 0 else float("inf")

    def __str__(self) -> str:
        bare = "" if self.bare_ratio is None else f"bare {times(self.bare_ratio)}  "
        return (
            f"{self.name:<58} ours {_short(self.ours)} {self.unit:<5} theirs {_short(self.theirs)} {self.unit:<5} "
            f"ratio {times(self.ratio):>6}  {bare}goal {times(self.goal)}  {'ok' if self.is_met else 'short'}"
        )


def times(ratio: float) -> str:
    """A ratio as people read it."""
    return f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2f}"


def _short(value: float) -> str:
    return f"{value:9.3f}" if value < 100 else f"{value:9.0f}"
