# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Screens that people can look at: VNC and SPICE."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.devices import DeviceSection
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import PASSWORD, Field
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, remove_all

# VNC itself has no room for more.
_VNC_PASSWORD = 8


class ListenField(Field):
    """The address; libvirt writes it twice, as an attribute and as an element."""

    def read(self, element: Element) -> Any:
        """The address, or None where there is none."""
        found = element.find("listen[@type='address']")
        return element.get("listen") if found is None else found.get("address")

    def write(self, element: Element, value: Any) -> None:
        """Both places."""
        self.erase(element)
        element.set("listen", value)
        ElementTree.SubElement(element, "listen", {"type": "address", "address": value})

    def erase(self, element: Element) -> None:
        """Both places."""
        element.attrib.pop("listen", None)
        remove_all(element, "listen")


class PortField(Field):
    """The port; a running domain shows the one that libvirt chose, which is nobody's option."""

    def read(self, element: Element) -> Any:
        """The port, or None where libvirt chooses."""
        return None if element.get("autoport") == "yes" or element.get("port") is None else int(element.get("port", ""))

    def clean(self, value: Any) -> Any:
        """-1 lets libvirt choose."""
        return None if int(value) == -1 else int(value)

    def write(self, element: Element, value: Any) -> None:
        """A port of its own, or one that libvirt chooses."""
        element.set("port", "-1" if value is None else str(value))
        element.set("autoport", "yes" if value is None else "no")

    def erase(self, element: Element) -> None:
        """Neither."""
        element.attrib.pop("port", None)
        element.attrib.pop("autoport", None)


class Graphics(DeviceSection):
    """VNC and SPICE, one of each."""

    option = "graphics"
    noun = "screen"
    tag = "graphics"
    arguments = {
        "graphics": {
            "type": "list",
            "elements": "dict",
            "options": {
                "type": {"type": "str", "choices": ["vnc", "spice"], "required": True},
                "listen": {"type": "str"},
                "port": {"type": "int"},
                "password": {"type": "str", "no_log": True},
            },
        },
    }
    fields = (
        ListenField("listen", "@listen"),
        PortField("port", "@port"),
        Field("password", "@passwd", PASSWORD),
    )

    def mine(self, device: Element) -> bool:
        """See `DeviceSection.mine`."""
        return device.get("type") in ("vnc", "spice")

    def key(self, device: Element, position: int) -> str:
        """The type."""
        return device.get("type", "")

    def find(self, domain: Element, items: list[dict[str, Any]]) -> list[Element | None]:
        """By type."""
        found = self.keyed(domain)
        return [found.get(item["type"]) for item in items]

    def new(self, item: dict[str, Any], domain: Element, options: dict[str, Any], facts: Facts) -> Element:
        """See `DeviceSection.new`. Nobody but the host itself can look, unless the task says so."""
        device = ElementTree.Element("graphics", {"type": item["type"], "port": "-1", "autoport": "yes"})
        self.fields[0].write(device, "127.0.0.1")
        return device

    def patch_device(self, device: Element, item: dict[str, Any], domain: Element, facts: Facts) -> None:
        """See `DeviceSection.patch_device`."""
        if item["type"] == "vnc" and len(item.get("password", "").encode()) > _VNC_PASSWORD:
            raise Failure(f"graphics: a VNC password has at most {_VNC_PASSWORD} characters (bytes): shorten it.")
        super().patch_device(device, item, domain, facts)

    def live_view(self, live: Element, stored: Element | None) -> dict[str, Any]:
        """See `DeviceSection.live_view`. An address that is left to libvirt shows when running."""
        view = self.view(live)
        if stored is not None and "listen" not in self.view(stored):
            view.pop("listen", None)
        return view

    def live_options(self, stored: Element | None, live: Element, target: Element) -> tuple[str, ...]:
        """Another password; QEMU decides when it starts whether it asks for one at all."""
        return ("password",) if live.get("passwd") and target.get("passwd") else ()


SECTION = Graphics()
