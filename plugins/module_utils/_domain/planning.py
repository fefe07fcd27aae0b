# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it takes to bring a domain's configuration, stored and running, to the target. Makes no libvirt call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.configuration import configuration_changes
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.hotplug import LivePlan
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Current, Handle, read_stored
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import next_boot
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, Impact, Plan
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, dump, same


@dataclass(frozen=True)
class Update:
    """A change of an existing domain, before it becomes actions.

    :ivar stored: the differences between the stored configuration and the target.
    :ivar live: what can be done to the running domain and what cannot; empty when it does not run.
    """

    stored: list[Change]
    live: LivePlan

    @property
    def pending(self) -> list[Change]:
        """What the running domain takes on at its next start only."""
        return [change for change in self.live.changes if change.impact is not Impact.LIVE]


def put_off(live: LivePlan, reason: str) -> LivePlan:
    """The same with all changes left to the next start."""
    return LivePlan([next_boot(change, reason) for change in live.changes])


def plan_definition(plan: Plan, handle: Handle, target: Element) -> None:
    """Append the creation of a domain that does not exist yet."""
    plan.changes += [Change("name", None, handle.name), *configuration_changes(None, target)]
    plan.add("define the domain", lambda hypervisor: define(hypervisor, handle, target))


def plan_update(plan: Plan, handle: Handle, current: Current, target: Element, update: Update, apply: str) -> None:
    """Append the change of an existing domain.

    :param apply: ``auto``, ``live`` (leave the stored configuration) or ``config`` (leave the running domain).
    :raises Failure: when ``apply`` is ``live`` and the running domain cannot take the change.
    """
    if apply == "live":
        _refuse_pending(handle, update.pending)
    # The running domain first: what it refuses is then not stored either.
    plan.actions += update.live.actions
    store = apply != "live" and not (current.persistent and same(current.stored, target))
    if store:
        plan.add("store the configuration", lambda hypervisor: _replace(hypervisor, handle, current, target))
    plan.changes += _shown(update, store)


def plan_autostart(plan: Plan, handle: Handle, now: bool | None, wanted: bool | None) -> None:
    """Append switching autostart where the task names it and it differs.

    :param now: None for a domain that does not exist yet: libvirt creates it without autostart.
    """
    if wanted is None or wanted == bool(now):
        return
    doing = f"switch autostart of the domain '{handle.name}'"
    plan.changes.append(Change("autostart", now, wanted))
    plan.add(
        "switch autostart " + ("on" if wanted else "off"),
        lambda hypervisor: hypervisor.call(doing, handle.domain.setAutostart, int(wanted)),
    )


def plan_rename(plan: Plan, handle: Handle, current: Current) -> None:
    """Append giving a stopped domain another name, where the task names its uuid and another name.

    :raises Failure: when the domain runs: libvirt renames stopped domains only.
    """
    if handle.name == current.name:
        return
    if current.active:
        raise Failure(
            f"The domain {current.uuid} is called '{current.name}' and runs; libvirt renames stopped domains only. "
            f"Stop it first, or leave out the name '{handle.name}'."
        )
    doing = f"rename the domain '{current.name}'"
    plan.changes.append(Change("name", current.name, handle.name))
    plan.add("rename the domain", lambda hypervisor: hypervisor.call(doing, handle.domain.rename, handle.name, 0))


def define(hypervisor: Hypervisor, handle: Handle, target: Element) -> None:
    """Store a configuration and remember the domain that libvirt made of it."""
    handle.domain = hypervisor.call(
        f"store the configuration of the domain '{handle.name}'",
        hypervisor.connection.defineXMLFlags,
        dump(target),
        libvirt.VIR_DOMAIN_DEFINE_VALIDATE,
    )


def _replace(hypervisor: Hypervisor, handle: Handle, current: Current, target: Element) -> None:
    """Store the target in the place of the configuration that it was made from.

    A task may have waited long for the guest, and libvirt would let it undo what was stored meanwhile: a snapshot's
    new file, for example.

    :raises Failure: when another one is stored by now.
    """
    renamed = handle.name != current.name  # which no running domain is: there was nothing to wait for
    if current.persistent and not renamed and not same(read_stored(hypervisor, handle.domain), current.stored):
        raise Failure(
            f"The stored configuration of the domain '{handle.name}' was changed by someone else during this task, so "
            "it was left alone. Run the task again."
        )
    define(hypervisor, handle, target)


def _refuse_pending(handle: Handle, pending: Iterable[Change]) -> None:
    reasons = "; ".join(f"{change.path}: {change.reason}" for change in pending)
    if reasons:
        raise Failure(
            f"The running domain '{handle.name}' cannot take the change ({reasons}). Nothing was changed. "
            "Use apply=auto to store it for the next start."
        )


def _shown(update: Update, store: bool) -> list[Change]:
    """The changes for people: each path once, with what it means for the running domain."""
    live = {change.path: change for change in update.live.changes}
    shown = []
    for change in update.stored if store else ():
        known = live.pop(change.path, None)
        shown.append(change if known is None else replace(change, impact=known.impact, reason=known.reason))
    # What is left differs only in the running domain: shown where this task changes it.
    return shown + [change for change in live.values() if change.impact is Impact.LIVE]
