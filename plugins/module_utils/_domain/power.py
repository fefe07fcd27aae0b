# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starting, stopping, pausing: from the state a domain is in to the state that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import (
    Deadline,
    TimedOut,
    call_within,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.events import DomainEvents
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.states import state_word
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure, explain
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan

# A guest that is still booting loses the press of its power button, so it is pressed again, ever less often.
_FIRST_REPEAT = 5.0
# libvirt asks a guest agent first where one is connected, and waits for its answer: a minute, when it hangs.
_LEAST_FOR_SHUTDOWN = 5.0


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
        plan_start(plan, handle, power, paused=wanted == "paused", afresh=afresh)
    elif wanted == "running":
        _plan_wake(plan, handle, now, power)
    else:
        if now == "suspended":
            _plan_wake(plan, handle, now, power)
        plan.add("pause the domain", lambda hypervisor: _call(hypervisor, handle, power, "pause", "suspend"))


def plan_start(plan: Plan, handle: Handle, power: Power, paused: bool = False, afresh: bool = False) -> None:
    """Append the start of a stopped domain.

    :param paused: whether it is to be paused then; otherwise it runs, also where it was paused when it was saved.
    :param afresh: whether to discard the memory that the domain was saved with, instead of going on from there.
    """
    flags = libvirt.VIR_DOMAIN_START_PAUSED if paused else 0
    flags |= libvirt.VIR_DOMAIN_START_FORCE_BOOT if afresh else 0
    summary = "start the domain" + (", paused" if paused else "") + (", without its saved memory" if afresh else "")

    def start(hypervisor: Hypervisor) -> None:
        _call(hypervisor, handle, power, "start", "createWithFlags", flags)
        if not (paused or afresh) and _state(hypervisor, handle) == "paused":
            _call(hypervisor, handle, power, "resume", "resume")

    plan.add(summary, start)


def plan_stop(plan: Plan, handle: Handle, now: str, power: Power) -> None:
    """Append a shutdown by the guest, and the wait for it."""
    if now in ("paused", "suspended"):
        _plan_wake(plan, handle, now, power, power.force)  # a guest that does not run cannot shut itself down
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
            "its guest reacts neither to the power button nor, where it has one, through its agent. It still runs. "
            "Allow more time, or set force=true to cut its power."
        )
    cut_power(hypervisor, handle, power)


def cut_power(hypervisor: Hypervisor, handle: Handle, power: Power) -> None:
    """End a domain's QEMU process. A domain that has ended by itself meanwhile is fine."""
    if _is_active(hypervisor, handle):
        _call(hypervisor, handle, power, "cut the power of", "destroy")


def plan_after_crash(plan: Plan, handle: Handle, power: Power) -> None:
    """Append the end of a crashed domain's QEMU process.

    :raises Failure: without ``force``: who looks for the cause of the crash needs that process.
    """
    if not power.force:
        raise Failure(
            f"The guest of the domain '{handle.name}' has crashed and cannot shut down. Look at it first; "
            "then set force=true to cut its power."
        )
    plan.add("cut the power of the crashed domain", lambda hypervisor: cut_power(hypervisor, handle, power))


def _plan_wake(plan: Plan, handle: Handle, now: str, power: Power, force: bool = False) -> None:
    """Append letting the guest run again.

    :param force: go on where that fails, as for a guest that QEMU paused over an error: its power will be cut.
    """
    verb, method = ("wake up", ("pMWakeup", 0)) if now == "suspended" else ("resume", ("resume",))

    def wake(hypervisor: Hypervisor) -> None:
        try:
            _call(hypervisor, handle, power, verb, *method)
        except Failure:
            if not force:
                raise

    plan.add("wake the domain up" if now == "suspended" else "resume the domain", wake)


def _stops_in_time(hypervisor: Hypervisor, handle: Handle, deadline: Deadline) -> bool:
    """Press the power button, at least once, until the guest has shut down or the deadline has passed."""
    with DomainEvents(hypervisor, handle.domain) as events:
        repeat = _FIRST_REPEAT
        while _is_active(hypervisor, handle):
            _press_power_button(hypervisor, handle, deadline)
            pause = Deadline(_sooner(repeat, deadline.remaining))
            if events.wait(lambda: not _is_active(hypervisor, handle), pause):
                return True
            if deadline.passed:
                return False
            repeat *= 2
    return True


def _press_power_button(hypervisor: Hypervisor, handle: Handle, deadline: Deadline) -> None:
    """Ask the guest once. That it is still being asked at the deadline is no error here: it has not shut down."""
    try:
        _call_within(_longer(_LEAST_FOR_SHUTDOWN, deadline.remaining), handle, "shut down", "shutdown")
    except TimedOut:
        return
    except Failure:
        # Between the look and the call the guest may have gone.
        if _is_active(hypervisor, handle):
            raise


def _is_active(hypervisor: Hypervisor, handle: Handle) -> bool:
    """Whether the domain has a QEMU process; a transient domain is gone with it."""
    return _state(hypervisor, handle) not in (None, "stopped")


def _state(hypervisor: Hypervisor, handle: Handle) -> str | None:
    """The domain's state now; None where it is gone."""
    found = hypervisor.find(f"read the state of the domain '{handle.name}'", handle.domain.state, 0)
    return None if found is None else state_word(found[0])


def _call(hypervisor: Hypervisor, handle: Handle, power: Power, verb: str, method: str, *args: Any) -> None:
    """Make a call, which may take what is left of the task's time, and at least what any call may."""
    seconds = _longer(hypervisor.options.call_timeout, power.deadline.remaining)
    try:
        _call_within(seconds, handle, verb, method, *args)
    except TimedOut:
        raise Failure(
            f"Cannot {verb} the domain '{handle.name}': {hypervisor.uri} did not answer within {seconds:g} seconds "
            "(the longer of call_timeout and what was left of timeout). The call may still take effect there: look "
            "before running the task again."
        ) from None


def _call_within(seconds: float | None, handle: Handle, verb: str, method: str, *args: Any) -> None:
    try:
        call_within(seconds, getattr(handle.domain, method), *args)
    except libvirt.libvirtError as error:
        raise explain(f"{verb} the domain '{handle.name}'", error) from error


def _longer(seconds: float, remaining: float | None) -> float | None:
    return None if remaining is None else max(seconds, remaining)


def _sooner(seconds: float, remaining: float | None) -> float:
    return seconds if remaining is None else min(seconds, remaining)
