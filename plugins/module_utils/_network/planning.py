# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a network will be like after the task, and which of that takes a restart. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.config import describe, same_network
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.live import Update, plan_updates
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.lookup import Current
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, Impact, differences
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element

_NEEDS_RESTART = "libvirt cannot change this while the network is active; allow_restart=true restarts the network."
_CONFIG_ONLY = "apply=config leaves the active network as it is."


@dataclass(frozen=True)
class Wishes:
    """What the task asks for, besides the configuration itself.

    :ivar state: ``present``, ``started`` or ``stopped``.
    :ivar autostart: None leaves it.
    :ivar apply: ``auto``, ``live`` (leave the stored configuration) or ``config`` (leave the active network).
    """

    state: str
    autostart: bool | None
    apply: str
    allow_restart: bool


@dataclass(frozen=True)
class Outcome:
    """What the task does and where that leads.

    :ivar after: the network once the task is done.
    :ivar define: whether the configuration has to be stored.
    :ivar updates: changes of the active network.
    :ivar waiting: what the active network takes on at its next start only.
    :ivar stop: whether the network is stopped, for good or to start it again.
    :ivar start: whether the network is started.
    """

    after: Current
    define: bool
    updates: list[Update] = field(default_factory=list)
    waiting: list[Change] = field(default_factory=list)
    stop: bool = False
    start: bool = False


def outcome_of_new(name: str, target: Element, uuid: str | None, wishes: Wishes) -> Outcome:
    """The `Outcome` of a network that does not exist yet."""
    if wishes.apply == "live":
        raise Failure(f"apply=live changes an active network only, and there is no network '{name}'.")
    start = wishes.state == "started"
    after = Current(name, uuid, target, target if start else None, True, bool(wishes.autostart))
    return Outcome(after, define=True, start=start)


def outcome(current: Current, stored: Element, live: Element | None, wishes: Wishes) -> Outcome:
    """The `Outcome` of a network that exists.

    :param stored: what its configuration shall be.
    :param live: what the active network shall be; None where it is not active.
    :raises Failure: when ``apply`` is ``live`` and the active network cannot take the whole change.
    """
    define = wishes.apply != "live" and not (current.persistent and same_network(current.stored, stored))
    autostart = current.autostart if wishes.autostart is None else wishes.autostart
    after = replace(current, stored=stored, persistent=current.persistent or define, autostart=autostart)
    if current.live is not None and live is not None and wishes.state != "stopped":
        return _outcome_of_active(current, current.live, live, Outcome(after, define), wishes)
    if wishes.apply == "live":
        raise Failure(
            f"apply=live changes an active network only, and '{current.name}' is stopped or shall be. Use apply=auto."
        )
    start = current.live is None and wishes.state == "started"
    after = replace(after, live=stored if start else None, connections=0)
    return Outcome(after, define, stop=current.live is not None, start=start)


def _outcome_of_active(
    current: Current, live: Element, target: Element, outcome_so_far: Outcome, wishes: Wishes
) -> Outcome:
    if wishes.apply == "config":
        waiting = _waiting(live, target, _CONFIG_ONLY)
        return replace(outcome_so_far, waiting=waiting)
    plan = plan_updates(live, target)
    waiting = _waiting(plan.after, target, _NEEDS_RESTART)
    after = outcome_so_far.after
    if waiting and wishes.apply == "live":
        paths = ", ".join(change.path for change in waiting)
        raise Failure(
            f"The active network '{current.name}' cannot take the whole change: {paths}. Nothing was changed. "
            "Use apply=auto to store it for the next start."
        )
    if waiting and wishes.allow_restart:
        return replace(outcome_so_far, after=replace(after, live=after.stored, connections=0), stop=True, start=True)
    return replace(outcome_so_far, after=replace(after, live=plan.after), updates=plan.updates, waiting=waiting)


def _waiting(live: Element, target: Element, reason: str) -> list[Change]:
    return [replace(change, impact=Impact.NEXT_BOOT, reason=reason) for change in describe(live, target)]


def changes(current: Current | None, outcome: Outcome) -> list[Change]:
    """What the task changes, for people; what only the active network takes on stands under ``live``."""
    after = outcome.after
    shown = differences(_standing(current), _standing(after))
    later = {change.path: change for change in outcome.waiting}
    if outcome.define:
        stored = describe(current.stored if current else None, after.stored)
        shown += [later.get(change.path, change) for change in stored]
    if current is not None and current.live is not None and after.live is not None:
        said = {change.path for change in shown}
        live = describe(current.live, after.live)
        shown += [replace(change, path=f"live.{change.path}") for change in live if change.path not in said]
    return shown


def removal(current: Current) -> list[Change]:
    """What goes when a network is removed, for people."""
    return differences(_standing(current), _standing(None)) + describe(current.stored, None)


def disconnected(current: Current | None, outcome: Outcome | None) -> list[str]:
    """The warning that guests lose their connection, where they do.

    :param outcome: None when the network is removed.
    """
    if current is None or not current.connections or not (outcome is None or outcome.stop):
        return []
    return [
        f"Stopping the network '{current.name}' disconnects {current.connections} network card(s) of running domains. "
        "They stay without a connection until they are plugged in again or their domains are stopped and started."
    ]


def _standing(current: Current | None) -> dict[str, object]:
    if current is None:
        return {"state": "absent"}
    return {"state": current.state, "autostart": current.autostart, "persistent": current.persistent}
