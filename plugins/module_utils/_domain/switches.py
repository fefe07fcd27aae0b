# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Devices that a domain has or has not: an option that is true or false. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import Section
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, child


class SwitchSection(Section):
    """One device, on or off.

    :cvar option: the option.
    :cvar tag: the device's element below ``<devices>``.
    """

    option = ""
    tag = ""

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
