# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Consoles besides the first serial port."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.characters import (
    CHARACTER_ARGUMENTS,
    CharacterSection,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at


class Consoles(CharacterSection):
    """virtio consoles, by position. The console that mirrors a serial port belongs to that."""

    option = "consoles"
    noun = "console"
    tag = "console"
    arguments = {"consoles": {"type": "list", "elements": "dict", "options": CHARACTER_ARGUMENTS}}

    def mine(self, device: Element) -> bool:
        """See `DeviceSection.mine`."""
        return attribute_at(device, "target", "type") == "virtio"

    def new(self, item: dict[str, Any], domain: Element, options: dict[str, Any], facts: Facts) -> Element:
        """See `DeviceSection.new`."""
        device = super().new(item, domain, options, facts)
        ElementTree.SubElement(device, "target", {"type": "virtio"})
        return device


SECTION = Consoles()
