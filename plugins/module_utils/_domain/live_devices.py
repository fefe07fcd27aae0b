# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adding a device to a running domain, changing it there, taking it away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain import addresses
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.events import DomainEvents
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import LivePlan, Running, next_boot
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Action, Change, differences
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    attribute_at,
    clone,
    dump,
    parse,
    remove,
)

if TYPE_CHECKING:
    from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.devices import DeviceSection

# The option that says when the firmware tries a device.
_ORDER = "boot_order"
_WHILE_DETACHING = ("device_removed", "device_removal_failed", "lifecycle")


def plan_device(section: DeviceSection, key: str, running: Running) -> LivePlan:
    """What brings one device of a running domain to the target."""
    live, target = section.keyed(running.live).get(key), section.keyed(running.target).get(key)
    if target is None:
        return LivePlan() if live is None else _plan_detach(section, key, live, running)
    if live is None:
        return _plan_attach(section, key, target, running)
    return _plan_update(section, key, live, target, running)


def _plan_attach(section: DeviceSection, key: str, target: Element, running: Running) -> LivePlan:
    prefix = f"{section.option}.{key}"
    changes = differences({}, section.view(target), prefix)
    reason = section.why_not_attach(target, running.live) or why_no_port(target, running)
    if reason:
        return LivePlan([next_boot(change, reason) for change in changes])
    what = f"{section.noun} {key}"
    if not _keeps_order(target, running.live):
        changes = [_waits_for_boot(change) if _option_of(change, prefix) == _ORDER else change for change in changes]
    return LivePlan(changes, [attaching(running, what, target, lambda live: section.keyed(live).get(key))])


def why_no_port(target: Element, running: Running) -> str:
    """Why there is no place for a device, or an empty text. Those that the task adds before it have theirs already."""
    free = addresses.free_pcie_ports(running.live) if addresses.needs_pcie_port(target) else None
    taken = sum(addresses.needs_pcie_port(device) for device in running.arriving)
    return "" if free is None or free > taken else "the running domain has no free PCIe port"


def _plan_update(section: DeviceSection, key: str, live: Element, target: Element, running: Running) -> LivePlan:
    stored = section.keyed(running.stored).get(key)
    possible = section.live_options(stored, live, target)
    plan = LivePlan()
    chosen = set()
    for change in differences(section.live_view(live, stored), section.view(target), f"{section.option}.{key}"):
        option = _option_of(change, f"{section.option}.{key}")
        if option in possible:
            chosen.add(option)
            plan.changes.append(change)
        elif option == _ORDER:
            plan.changes.append(_waits_for_boot(change))
        else:
            plan.changes.append(next_boot(change, f"libvirt cannot change it while the {section.noun} is in use"))
    if chosen:
        device = clone(live)
        section.carry_live(device, target, chosen)
        plan.actions.append(_update(running.handle, f"{section.noun} {key}", device))
    return plan


def _plan_detach(section: DeviceSection, key: str, live: Element, running: Running) -> LivePlan:
    changes = differences(section.view(live), {}, f"{section.option}.{key}")
    if not section.can_detach(live):
        reason = f"a {section.noun} like this cannot be taken from a running domain"
        return LivePlan([next_boot(change, reason) for change in changes])
    return LivePlan(changes, [detaching(running, f"{section.noun} {key}", live)])


def attaching(running: Running, what: str, target: Element, find: Callable[[Element], Element | None]) -> Action:
    """The action that adds a device, for which there is a place.

    :param target: the device, an element of the target.
    :param find: finds the device in the XML of the domain that runs with it.
    """
    running.arriving.append(target)

    def run(hypervisor: Hypervisor) -> None:
        attach(hypervisor, running, what, target, find)

    return Action(f"add the {what} to the running domain", run)


def detaching(running: Running, what: str, live: Element) -> Action:
    """The action that takes a device, an element of the live XML, away and waits until it is gone."""

    def run(hypervisor: Hypervisor) -> None:
        detach(hypervisor, running.handle, what, live, running.deadline)

    return Action(f"take the {what} from the running domain", run)


def attach(
    hypervisor: Hypervisor, running: Running, what: str, target: Element, find: Callable[[Element], Element | None]
) -> None:
    """Add a device to the running domain, and give the target the address that it got.

    Without that the guest would find the device elsewhere after its next start: a network interface is called
    after its address.
    """
    domain = running.handle.domain
    doing = f"add the {what} to the running domain '{running.handle.name}'"
    device = clone(target)
    if addresses.is_taken(device, running.live):
        addresses.forget(device)
    if not _keeps_order(device, running.live):
        remove(device, "boot")
    hypervisor.call(doing, domain.attachDeviceFlags, dump(device), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    now = find(parse(hypervisor.call(doing, domain.XMLDesc, 0)))
    if now is not None:
        addresses.carry(now, target, running.target)


def detach(hypervisor: Hypervisor, handle: Handle, what: str, device: Element, deadline: Deadline) -> None:
    """Take a device from the running domain and wait until its guest has let it go.

    :raises Failure: when the guest refuses, stops, or does not answer before the deadline.
    """
    doing = f"take the {what} from the running domain '{handle.name}'"
    alias = _alias(device)
    with DomainEvents(hypervisor, handle.domain, _WHILE_DETACHING) as events:
        hypervisor.call(doing, handle.domain.detachDeviceFlags, dump(device), libvirt.VIR_DOMAIN_AFFECT_LIVE)
        while True:
            event = events.next(deadline)
            if event is None:
                raise Failure(
                    f"Cannot {doing}: the guest did not let it go in time (timeout). It was asked to, and may still "
                    "do so; a guest that has not booted yet, or does not know hot-plug, never does."
                )
            if event.kind == "lifecycle":
                if event.details[0] == libvirt.VIR_DOMAIN_EVENT_STOPPED:
                    raise Failure(f"Cannot {doing}: the domain stopped meanwhile. Run the task again.")
                continue
            if event.details and event.details[0] != alias:
                continue
            if event.kind == "device_removed":
                return
            raise Failure(f"Cannot {doing}: the guest refused; something in it uses the device.")


def _update(handle: Handle, what: str, device: Element) -> Action:
    def run(hypervisor: Hypervisor) -> None:
        doing = f"change the {what} of the running domain '{handle.name}'"
        # updateDevice takes the whole device as it is, with what is to be different.
        flags = libvirt.VIR_DOMAIN_AFFECT_LIVE
        hypervisor.call(doing, handle.domain.updateDeviceFlags, dump(device), flags)

    return Action(f"change the {what} of the running domain", run)


def _keeps_order(device: Element, live: Element) -> bool:
    """Whether a running domain takes a device with its place in the boot order.

    It does not when it runs with an order of kinds of devices, or when another device has that place.
    """
    order = attribute_at(device, "boot", "order")
    taken = [attribute_at(other, "boot", "order") for other in live.iterfind("devices/*")]
    return order is None or (live.find("os/boot") is None and order not in taken)


def _waits_for_boot(change: Change) -> Change:
    return next_boot(change, "the boot order is fixed while the domain runs")


def _option_of(change: Change, prefix: str) -> str:
    return change.path[len(prefix) + 1 :].partition(".")[0]


def _alias(device: Element) -> Any:
    found = device.find("alias")
    return None if found is None else found.get("name")
