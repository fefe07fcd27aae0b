# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starting, stopping, pausing: from the state a domain is in to the state that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.events import DomainEvents
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.states import state_word
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan

# A guest that is still booting loses the press of its power button, so it is pressed again, ever less often.
_FIRST_REPEAT = 5.0


@dataclass(frozen=True)
class Power:
    """How patient and how rough to be.

    :ivar deadline: for all waiting of the task.
    :ivar force: whether a guest that does not stop in time loses its power.
    """

    deadline: Deadline
    force: bool


def plan_power(plan: Plan, handle: Handle, now: str, wanted: str, power: Power, afresh: bool = False) -> None:
    """Append to the plan what brings a domain from state ``now`` to ``wanted``.

    :param wanted: ``running``, ``paused`` or ``stopped``.
    :param afresh: see `plan_start`.
    :raises Failure: where only pulling the plug helps and ``force`` is not given.
    """
    if now == wanted:
        return
    if now == "crashed":
        plan_after_crash(plan, handle, power)
        now = "stopped"
        if wanted == "stopped":
            return
    if wanted == "stopped":
        plan_stop(plan, handle, now, power)
    elif now == "stopped":
        plan_start(plan, handle, paused=wanted == "paused", afresh=afresh)
    elif wanted == "running":
        _plan_wake(plan, handle, now)
    else:
        if now == "suspended":
            _plan_wake(plan, handle, now)
        plan.add("pause the domain", lambda hypervisor: _call(hypervisor, handle, "pause", "suspend"))


def plan_start(plan: Plan, handle: Handle, paused: bool = False, afresh: bool = False) -> None:
    """Append the start of a stopped domain.

    :param afresh: whether to discard the memory that the domain was saved with, instead of going on from there.
    """
    flags = libvirt.VIR_DOMAIN_START_PAUSED if paused else 0
    flags |= libvirt.VIR_DOMAIN_START_FORCE_BOOT if afresh else 0
    summary = "start the domain" + (", paused" if paused else "") + (", without its saved memory" if afresh else "")
    plan.add(summary, lambda hypervisor: _call(hypervisor, handle, "start", "createWithFlags", flags))


def plan_stop(plan: Plan, handle: Handle, now: str, power: Power) -> None:
    """Append a shutdown by the guest, and the wait for it."""
    if now in ("paused", "suspended"):
        _plan_wake(plan, handle, now, power.force)  # a guest that does not run cannot shut itself down
    plan.add("shut down the domain", lambda hypervisor: shut_down(hypervisor, handle, power))


def shut_down(hypervisor: Hypervisor, handle: Handle, power: Power) -> None:
    """Ask the guest to shut down and wait until it has.

    :raises Failure: when it has not at the deadline and ``force`` is not given.
    """
    if _stops_in_time(hypervisor, handle, power.deadline):
        return
    if not power.force:
        raise Failure(
            f"The domain '{handle.name}' did not shut down within {power.deadline.seconds:g} seconds (timeout): "
            "its guest does not react to the power button. It still runs. Allow more time, or set force=true to "
            "cut its power."
        )
    cut_power(hypervisor, handle)


def cut_power(hypervisor: Hypervisor, handle: Handle) -> None:
    """End a domain's QEMU process. A domain that has ended by itself meanwhile is fine."""
    if _is_active(hypervisor, handle):
        _call(hypervisor, handle, "cut the power of", "destroy")


def plan_after_crash(plan: Plan, handle: Handle, power: Power) -> None:
    """Append the end of a crashed domain's QEMU process.

    :raises Failure: without ``force``: who looks for the cause of the crash needs that process.
    """
    if not power.force:
        raise Failure(
            f"The guest of the domain '{handle.name}' has crashed and cannot shut down. Look at it first; "
            "then set force=true to cut its power."
        )
    plan.add("cut the power of the crashed domain", lambda hypervisor: cut_power(hypervisor, handle))


def _plan_wake(plan: Plan, handle: Handle, now: str, force: bool = False) -> None:
    """Append letting the guest run again.

    :param force: go on where that fails, as for a guest that QEMU paused over an error: its power will be cut.
    """
    verb, method = ("wake up", ("pMWakeup", 0)) if now == "suspended" else ("resume", ("resume",))

    def wake(hypervisor: Hypervisor) -> None:
        try:
            _call(hypervisor, handle, verb, *method)
        except Failure:
            if not force:
                raise

    plan.add("wake the domain up" if now == "suspended" else "resume the domain", wake)


def _stops_in_time(hypervisor: Hypervisor, handle: Handle, deadline: Deadline) -> bool:
    """Press the power button, at least once, until the guest has shut down or the deadline has passed."""
    with DomainEvents(hypervisor, handle.domain) as events:
        repeat = _FIRST_REPEAT
        while _is_active(hypervisor, handle):
            _press_power_button(hypervisor, handle)
            pause = Deadline(_sooner(repeat, deadline.remaining))
            if events.wait(lambda: not _is_active(hypervisor, handle), pause):
                return True
            if deadline.passed:
                return False
            repeat *= 2
    return True


def _press_power_button(hypervisor: Hypervisor, handle: Handle) -> None:
    try:
        _call(hypervisor, handle, "shut down", "shutdown")
    except Failure:
        # Between the look and the call the guest may have gone.
        if _is_active(hypervisor, handle):
            raise


def _is_active(hypervisor: Hypervisor, handle: Handle) -> bool:
    """Whether the domain has a QEMU process; a transient domain is gone with it."""
    found = hypervisor.find(f"read the state of the domain '{handle.name}'", handle.domain.state, 0)
    return found is not None and state_word(found[0]) != "stopped"


def _call(hypervisor: Hypervisor, handle: Handle, verb: str, method: str, *args: Any) -> None:
    hypervisor.call(f"{verb} the domain '{handle.name}'", getattr(handle.domain, method), *args, limited=False)


def _sooner(seconds: float, remaining: float | None) -> float:
    return seconds if remaining is None else min(seconds, remaining)
