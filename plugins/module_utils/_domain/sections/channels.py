# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Channels between host and guest, which guest agents listen on."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.devices import DeviceSection
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.guest_agent import CHANNELS
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import Field
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at

_AGENTS = (CHANNELS["qemu"], CHANNELS["kvmmanager"])


class Channels(DeviceSection):
    """virtio channels, by the name that the guest finds them under."""

    option = "channels"
    noun = "channel"
    tag = "channel"
    hotplug = True
    arguments = {
        "channels": {
            "type": "list",
            "elements": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "type": {"type": "str", "choices": ["unix", "spicevmc"]},
            },
        },
    }
    fields = (Field("type", "@type"),)

    def defaults(self, facts: Facts, options: dict[str, Any]) -> dict[str, Any]:
        """A new domain has the channels of both guest agents."""
        return {"channels": [{"name": name} for name in _AGENTS]}

    def mine(self, device: Element) -> bool:
        """See `DeviceSection.mine`."""
        return attribute_at(device, "target", "type") == "virtio"

    def key(self, device: Element, position: int) -> str:
        """The name."""
        return attribute_at(device, "target", "name") or str(position)

    def find(self, domain: Element, items: list[dict[str, Any]]) -> list[Element | None]:
        """By name."""
        found = self.keyed(domain)
        return [found.get(item["name"]) for item in items]

    def new(self, item: dict[str, Any], domain: Element, options: dict[str, Any], facts: Facts) -> Element:
        """See `DeviceSection.new`."""
        device = ElementTree.Element("channel", {"type": "unix"})
        ElementTree.SubElement(device, "target", {"type": "virtio", "name": item["name"]})
        return device

    def why_not_attach(self, device: Element, live: Element) -> str:
        """See `DeviceSection.why_not_attach`."""
        if live.find("devices/controller[@type='virtio-serial']") is None:
            return "the running domain has no virtio-serial controller"
        return ""


SECTION = Channels()
