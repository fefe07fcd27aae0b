# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The graphics card."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain import addresses
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import Section
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at, child, remove

_MODEL = "devices/video/model"


class Video(Section):
    """The model of the first graphics card."""

    arguments = {
        "video": {"type": "str", "choices": ["virtio", "vga", "qxl", "cirrus", "bochs", "vmvga", "ramfb", "none"]},
    }

    def read(self, domain: Element) -> dict[str, Any]:
        """See `Section.read`."""
        model = attribute_at(domain, _MODEL, "type")
        return {"video": model} if model else {}

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """See `Section.patch`."""
        wanted = options.get("video")
        if wanted is None or self.read(domain).get("video") == wanted:
            return
        remove(domain, _MODEL)  # heads, video memory and acceleration belong to the model
        child(domain, _MODEL).set("type", wanted)
        addresses.forget(child(domain, "devices/video"))

    def erase(self, domain: Element) -> None:
        """See `Section.erase`."""
        found = domain.find(_MODEL)
        if found is not None:
            found.attrib.pop("type", None)

    def unmatched(self, domain: Element, other: Element) -> list[Element]:
        """See `Section.unmatched`."""
        return [] if other.find(_MODEL) is not None else domain.findall("devices/video")


SECTION = Video()
