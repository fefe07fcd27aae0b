# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What serial ports and consoles share: bytes in and out, to a terminal, a file or a socket. Pure."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.devices import DeviceSection
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import Field, read_fields
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    attribute_at,
    child,
    remove_all,
)

CHARACTER_ARGUMENTS: dict[str, Any] = {
    "type": {"type": "str", "choices": ["pty", "file", "unix", "null"]},
    "path": {"type": "str"},
    "log": {"type": "str"},
}
# The types whose path is the user's; a terminal gets its path when the domain starts.
_WITH_PATH = ("file", "unix")


class CharacterSection(DeviceSection):
    """Serial ports or consoles, by position."""

    fields = (Field("log", "log@file"),)

    def new(self, item: dict[str, Any], domain: Element, options: dict[str, Any], facts: Facts) -> Element:
        """See `DeviceSection.new`."""
        return ElementTree.Element(self.tag, {"type": "pty"})

    def patch_device(self, device: Element, item: dict[str, Any], domain: Element, facts: Facts) -> None:
        """See `DeviceSection.patch_device`."""
        kind = item.get("type", device.get("type", "pty"))
        path = item.get("path", self.view(device).get("path") if kind == device.get("type") else None)
        if (kind in _WITH_PATH) != bool(path):
            needs = f"a {self.noun} of type {kind} needs a path" if not path else f"type {kind} has no path"
            raise Failure(f"{self.option}: {needs}.")
        if (kind, path) != (device.get("type"), self.view(device).get("path")):
            _set_end(device, kind, path)
        super().patch_device(device, item, domain, facts)

    def view(self, device: Element) -> dict[str, Any]:
        """See `DeviceSection.view`."""
        kind = device.get("type", "")
        path = attribute_at(device, "source", "path") if kind in _WITH_PATH else None
        return {"type": kind, **({"path": path} if path else {}), **read_fields(device, self.fields)}

    def erase_device(self, device: Element) -> None:
        """See `DeviceSection.erase_device`."""
        super().erase_device(device)
        device.attrib.pop("type", None)
        remove_all(device, "source")


def _set_end(device: Element, kind: str, path: str | None) -> None:
    device.set("type", kind)
    for tag in ("source", "protocol"):
        remove_all(device, tag)
    if path:
        source = child(device, "source")
        source.set("path", path)
        if kind == "unix":
            source.set("mode", "bind")
