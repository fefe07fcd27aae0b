# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task is going to do: changes for people to read, actions that make them.

A plan is made without any call that changes something, so check mode, ``--diff`` and the real run share it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

if TYPE_CHECKING:
    from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor


class Impact(enum.Enum):
    """When a change takes effect, or that it will not."""

    LIVE = "live"
    NEXT_BOOT = "next_boot"
    REFUSED = "refused"


@dataclass(frozen=True)
class Change:
    """One value that differs: where, from what, to what, and when that takes effect.

    :ivar path: the option as a person would write it, for example ``disks.vda.cache``.
    :ivar before: plain data, or None where there was nothing.
    :ivar after: plain data, or None where there will be nothing.
    :ivar reason: why the impact is not live; empty otherwise.
    """

    path: str
    before: Any
    after: Any
    impact: Impact = Impact.LIVE
    reason: str = ""


@dataclass(frozen=True)
class Action:
    """One call (or a few that belong together) that changes something.

    :ivar summary: what it does, in the imperative: ``start the domain``.
    :ivar run: makes the call; raises `Failure` when it does not work.
    """

    summary: str
    run: Callable[[Hypervisor], None]


@dataclass
class Plan:
    """All changes and actions of one task, in order, and what the task returns once they are made."""

    changes: list[Change] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether applying the plan does anything."""
        return bool(self.actions)

    def add(self, summary: str, run: Callable[[Hypervisor], None]) -> None:
        """Append an `Action`."""
        self.actions.append(Action(summary, run))

    def apply(self, hypervisor: Hypervisor) -> None:
        """Run the actions in order: the only code that changes anything.

        :raises Failure: the first that an action meets, with what was done and what was not.
        """
        for position, action in enumerate(self.actions):
            try:
                action.run(hypervisor)
            except Failure as failure:
                raise _half_applied(self.actions, position, failure) from failure


def restart_report(waiting: list[Change]) -> dict[str, Any]:
    """The part of a task's result about what waits for the next start of a domain, network or pool."""
    return {
        "restart_required": bool(waiting),
        "restart_reasons": [{"path": change.path, "reason": change.reason} for change in waiting],
    }


def render_diff(changes: list[Change]) -> dict[str, str]:
    """The ``diff`` of a task's result: the changed paths before and after, one a line."""
    return {
        "before": "".join(_line(change.path, change.before) for change in changes),
        "after": "".join(_line(change.path, change.after) for change in changes),
    }


def differences(before: Any, after: Any, path: str = "") -> list[Change]:
    """The `Change` of each value that differs between two trees of dicts; lists and scalars compare whole."""
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        keys = list(after) + [key for key in before if key not in after]
        prefix = f"{path}." if path else ""
        return [change for key in keys for change in differences(before.get(key), after.get(key), f"{prefix}{key}")]
    if isinstance(before, dict) or isinstance(after, dict):
        return differences(_as_dict(before), _as_dict(after), path)
    return [Change(path, before, after)]


def _as_dict(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value or {"": None}
    return {} if value is None else {"": value}


def _line(path: str, value: Any) -> str:
    return "" if value is None else f"{path.rstrip('.')}: {_as_written(value)}\n"


def _as_written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_as_written(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_as_written(item)}" for key, item in value.items()) + "}"
    return str(value)


def _half_applied(actions: list[Action], position: int, failure: Failure) -> Failure:
    done = [action.summary for action in actions[:position]]
    not_done = [action.summary for action in actions[position + 1 :]]
    message = failure.message
    if done:
        message += f" Done before that: {'; '.join(done)}."
    if not_done:
        message += f" Not done: {'; '.join(not_done)}."
    return Failure(message, **{**failure.result, "done": done, "not_done": not_done})
