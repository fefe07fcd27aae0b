# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Devices that a domain has or has not: an option that is true or false. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.live_devices import (
    attaching,
    detaching,
    why_no_port,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import (
    LivePlan,
    Running,
    Section,
    next_boot,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, child


class SwitchSection(Section):
    """One device, on or off.

    :cvar option: the option.
    :cvar tag: the device's element below ``<devices>``.
    :cvar noun: the device, for messages.
    :cvar hotplug: whether it can be added to a running domain and taken away.
    """

    option = ""
    tag = ""
    noun = ""
    hotplug = False

    def new(self, domain: Element, facts: Facts) -> Element:
        """The device."""
        raise NotImplementedError

    def read(self, domain: Element) -> dict[str, Any]:
        """See `Section.read`."""
        return {self.option: domain.find(f"devices/{self.tag}") is not None}

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """See `Section.patch`."""
        wanted = options.get(self.option)
        if wanted is None or wanted == self.read(domain)[self.option]:
            return
        parent = child(domain, "devices")
        if wanted:
            parent.append(self.new(domain, facts))
        else:
            for device in parent.findall(self.tag):
                parent.remove(device)

    def erase(self, domain: Element) -> None:
        """See `Section.erase`: which devices there are shows in `read`, how they are does not."""

    def unmatched(self, domain: Element, other: Element) -> list[Element]:
        """See `Section.unmatched`."""
        return [] if self.read(other)[self.option] else domain.findall(f"devices/{self.tag}")

    def plan_live(self, running: Running) -> LivePlan:
        """See `Section.plan_live`."""
        changes = self.live_differences(running)
        if not (self.hotplug and changes):
            return super().plan_live(running)
        path = f"devices/{self.tag}"
        target = running.target.find(path)
        if target is None:
            return LivePlan(changes, [detaching(running, self.noun, device) for device in running.live.findall(path)])
        reason = why_no_port(target, running)
        if reason:
            return LivePlan([next_boot(change, reason) for change in changes])
        return LivePlan(changes, [attaching(running, self.noun, target, lambda live: live.find(path))])
