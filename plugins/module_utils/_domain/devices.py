# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of devices that a task describes by key: a disk by its target, an interface by its MAC.

`DeviceSection` holds what all of them share. What a device does to a running domain is in `live_devices`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.live_devices import plan_device
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import LivePlan, Running, Section
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import Field, patch_fields, read_fields
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, child


def match(
    items: list[dict[str, Any]], devices: list[Element], *tests: Callable[[dict[str, Any], Element], bool]
) -> list[Element | None]:
    """For each item the device that it is about, None where there is none; no device twice.

    :param tests: whether an item may be about a device. What the first leaves over, the next one decides.
    """
    rest = list(devices)
    found: dict[int, Element] = {}
    for may_be in tests:
        for position, item in enumerate(items):
            device = None if position in found else next((device for device in rest if may_be(item, device)), None)
            if device is not None:
                rest.remove(device)
                found[position] = device
    return [found.get(position) for position in range(len(items))]


class DeviceSection(Section):
    """Devices of one kind.

    :cvar option: the option that lists them.
    :cvar noun: one of them, for messages.
    :cvar tag: their element below ``<devices>``.
    :cvar fields: the options of a device, where a table can describe them.
    :cvar hotplug: whether one can be added to a running domain and taken away.
    """

    option = ""
    noun = "device"
    tag = ""
    fields: tuple[Field, ...] = ()
    hotplug = False

    # --- what a kind of device has to say

    def mine(self, device: Element) -> bool:
        """Whether an element with the tag belongs to this section."""
        return True

    def key(self, device: Element, position: int) -> str:
        """What tells a device from the others; ``position`` counts those of this section from 0."""
        return str(position)

    def find(self, domain: Element, items: list[dict[str, Any]]) -> list[Element | None]:
        """For each item that a task lists the device that it is about, None where it is new."""
        devices = self.devices(domain)
        return [devices[position] if position < len(devices) else None for position in range(len(items))]

    def new(self, item: dict[str, Any], domain: Element, options: dict[str, Any], facts: Facts) -> Element:
        """A device with the defaults of a new one, not yet in ``domain``; `patch_device` does the rest."""
        raise NotImplementedError

    def patch_device(self, device: Element, item: dict[str, Any], domain: Element, facts: Facts) -> None:
        """Change a device in place so that it has the options that the item names."""
        patch_fields(device, self.fields, item)

    def view(self, device: Element) -> dict[str, Any]:
        """The options that a device holds a value for."""
        return read_fields(device, self.fields)

    def live_view(self, live: Element, stored: Element | None) -> dict[str, Any]:
        """The options of a running device; ``stored`` helps where libvirt does not tell of a running one."""
        return self.view(live)

    def erase_device(self, device: Element) -> None:
        """Take away what `view` reads."""
        for field in self.fields:
            field.erase(device)

    def live_options(self, stored: Element | None, live: Element, target: Element) -> tuple[str, ...]:
        """The options that libvirt changes on a running domain, for this device."""
        return tuple(field.option for field in self.fields if field.live)

    def carry_live(self, device: Element, target: Element, options: Iterable[str]) -> None:
        """Give a running device these options of the target, in place."""
        for field in self.fields:
            if field.option in options:
                value = field.read(target)
                field.erase(device) if value is None else field.write(device, value)

    def why_not_attach(self, device: Element, live: Element) -> str:
        """Why a running domain cannot take the device; an empty text where it can."""
        return "" if self.hotplug else f"a {self.noun} cannot be added to a running domain"

    def can_detach(self, device: Element) -> bool:
        """Whether a running domain can do without the device."""
        return self.hotplug

    # --- what follows from that

    def devices(self, domain: Element) -> list[Element]:
        """The devices of this section, in the order that positions count in."""
        return [device for device in domain.iterfind(f"devices/{self.tag}") if self.mine(device)]

    def owns(self, element: Element) -> bool:
        """Whether an element of ``<devices>`` is one of this section."""
        return element.tag == self.tag and self.mine(element)

    def keyed(self, domain: Element) -> dict[str, Element]:
        """The devices of this section by their keys."""
        return {self.key(device, position): device for position, device in enumerate(self.devices(domain))}

    def read(self, domain: Element) -> dict[str, Any]:
        """See `Section.read`."""
        views = {key: self.view(device) for key, device in self.keyed(domain).items()}
        return {self.option: views} if views else {}

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """See `Section.patch`. Devices that the task does not list stay, unless it purges them."""
        items = options.get(self.option)
        purged = self.option in options.get("purge", ())
        if items is None:
            if purged and "xml" not in options:
                raise Failure(f"purge: name {self.option} too; an empty list, {self.option}: [], removes them all.")
            return
        found = self.find(domain, items)
        listed: list[Element] = []
        for item, device in zip(items, found):
            if device is None:
                device = self.new(item, domain, options, facts)
                child(domain, "devices").append(device)
            self.patch_device(device, item, domain, facts)
            if any(device is other for other in listed) or self._has_double(domain, device):
                raise Failure(f"{self.option}: two items are about the same device; list each device once.")
            listed.append(device)
        if purged:
            self._purge(domain, listed)

    def erase(self, domain: Element) -> None:
        """See `Section.erase`."""
        for device in self.devices(domain):
            self.erase_device(device)

    def unmatched(self, domain: Element, other: Element) -> list[Element]:
        """See `Section.unmatched`."""
        theirs = self.keyed(other)
        return [device for key, device in self.keyed(domain).items() if key not in theirs]

    def plan_live(self, running: Running) -> LivePlan:
        """See `Section.plan_live`."""
        plan = LivePlan()
        for key in self._concerned(running):
            part = plan_device(self, key, running)
            plan.changes += part.changes
            plan.actions += part.actions
        return plan

    def _has_double(self, domain: Element, device: Element) -> bool:
        devices = self.devices(domain)
        keys = [self.key(item, position) for position, item in enumerate(devices)]
        return any(keys.count(key) > 1 for key, item in zip(keys, devices) if item is device)

    def _purge(self, domain: Element, listed: list[Element]) -> None:
        parent = child(domain, "devices")
        for device in self.devices(domain):
            if not any(device is kept for kept in listed):
                parent.remove(device)

    def _concerned(self, running: Running) -> list[str]:
        """The keys of the devices that the task names, changes or removes."""
        stored, target, live = (self.keyed(domain) for domain in (running.stored, running.target, running.live))
        options = running.options
        keys = [key for key in target if key not in stored or self.view(stored[key]) != self.view(target[key])]
        if "xml" in options:
            keys += list(target)
        elif options.get(self.option):
            named = self.find(running.target, options[self.option])
            keys += [key for key, device in target.items() if any(device is item for item in named)]
        if self.option in options.get("purge", ()):
            keys += [key for key in live if key not in target]
        return list(dict.fromkeys(keys))
