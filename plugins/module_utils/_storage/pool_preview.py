# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task will change about a storage pool, and what it will be like afterwards. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, Impact, differences
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.pool_definition import settings
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.pool_state import (
    NO_FIGURES,
    UNKNOWN,
    PoolState,
    describe,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element

_RESTART = "A started pool keeps its settings until it is stopped and started again, which allow_restart allows."

# libvirt takes these from the directory where the definition does not name them.
_FROM_DIRECTORY = ("mode", "owner", "group")


def not_in_force(current: PoolState | None, target: Element) -> list[Change]:
    """Where a started pool is not what ``target`` says; only a restart changes that."""
    if current is None or current.live is None:
        return []
    return [
        replace(change, impact=Impact.NEXT_BOOT, reason=_RESTART)
        for change in differences(settings(current.live), settings(target))
        if not (change.path in _FROM_DIRECTORY and change.after is None)
    ]


def standing(current: PoolState | None) -> dict[str, Any]:
    """What is true of a pool besides its definition."""
    if current is None:
        return {"state": "absent", "autostart": False, "persistent": True}
    return {"state": current.state, "autostart": current.autostart, "persistent": current.persistent}


def standing_after(current: PoolState | None, state: str, autostart: bool | None) -> dict[str, Any]:
    """As `standing`, once the task is done.

    :param state: what the task asks for: ``present``, ``started`` or ``stopped``.
    :param autostart: what the task asks for; None leaves it.
    """
    now = standing(current)
    after = "stopped" if current is None else current.state
    if state == "stopped" or (state == "started" and after == "stopped"):  # a degraded pool is started
        after = state
    return {"state": after, "autostart": now["autostart"] if autostart is None else autostart, "persistent": True}


def changes(
    current: PoolState | None, target: Element, after: dict[str, Any], waiting: list[Change], restart: bool
) -> list[Change]:
    """What the task changes, for people to read.

    :param after: of `standing_after`.
    :param waiting: of `not_in_force`.
    :param restart: whether the task restarts the pool, so that nothing waits any longer.
    """
    stored = {} if current is None else settings(current.stored)
    found = differences({**standing(current), **stored}, {**after, **settings(target)})
    later = {change.path: change for change in waiting}
    if restart:
        already_stored = [path for path in later if path not in {change.path for change in found}]
        return found + [replace(later[path], impact=Impact.LIVE, reason="") for path in already_stored]
    return [later.get(change.path, change) for change in found]


def predicted(current: PoolState | None, target: Element, after: dict[str, Any], waits: bool) -> dict[str, Any]:
    """What `describe` will return, as far as it can be known beforehand; the rest is None.

    :param after: of `standing_after`.
    :param waits: whether the pool goes on with its old settings.
    """
    pool = UNKNOWN if current is None else describe(current)
    wanted = {} if waits else {option: value for option, value in settings(target).items() if option in UNKNOWN}
    figures = NO_FIGURES if after["state"] == "stopped" else {}
    return {**pool, **wanted, **after, **figures}
