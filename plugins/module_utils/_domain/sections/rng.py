# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The random number generator."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.switches import SwitchSection
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element


class Rng(SwitchSection):
    """A virtio device that hands the guest the host's random numbers, so that it boots without waiting for some."""

    option = "rng"
    tag = "rng"
    noun = "random number generator"
    hotplug = True
    arguments = {"rng": {"type": "bool"}}

    def defaults(self, facts: Facts, options: dict[str, Any]) -> dict[str, Any]:
        """See `Section.defaults`."""
        return {"rng": True}

    def new(self, domain: Element, facts: Facts) -> Element:
        """See `SwitchSection.new`."""
        device = ElementTree.Element("rng", {"model": "virtio"})
        ElementTree.SubElement(device, "backend", {"model": "random"}).text = "/dev/urandom"
        return device


SECTION = Rng()
