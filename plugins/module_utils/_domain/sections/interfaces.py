# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network interfaces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.devices import DeviceSection, match
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.plugged import kind_of, unresolve
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._mac import clean_mac
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import INTEGER, Field, read_fields
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    attribute_at,
    child,
    clone,
    remove_all,
    text_at,
)

_SOURCES = ("network", "bridge", "user")


class LinkField(Field):
    """Whether the cable is plugged in; it is, where the XML does not say."""

    def read(self, element: Element) -> Any:
        """``up`` or ``down``."""
        return super().read(element) or "up"


class Interfaces(DeviceSection):
    """Network interfaces, by MAC address, or by position where the task names none."""

    option = "interfaces"
    noun = "network interface"
    tag = "interface"
    hotplug = True
    arguments = {
        "interfaces": {
            "type": "list",
            "elements": "dict",
            "mutually_exclusive": [_SOURCES],
            "options": {
                "network": {"type": "str"},
                "bridge": {"type": "str"},
                "user": {"type": "bool"},
                "mac": {"type": "str"},
                "model": {"type": "str"},
                "link": {"type": "str", "choices": ["up", "down"]},
                "boot_order": {"type": "int"},
            },
        },
    }
    fields = (
        Field("model", "model@type"),
        LinkField("link", "link@state", live=True),
        Field("boot_order", "boot@order", INTEGER),
    )

    def key(self, device: Element, position: int) -> str:
        """The MAC address."""
        return (attribute_at(device, "mac", "address") or str(position)).lower()

    def find(self, domain: Element, items: list[dict[str, Any]]) -> list[Element | None]:
        """By MAC; an item without one is about the interface that has its source, else about the next one."""
        by_mac = self.keyed(domain)
        named = {_mac(item["mac"]) for item in items if "mac" in item}
        rest = [device for key, device in by_mac.items() if key not in named]
        others = [item for item in items if "mac" not in item]
        found = iter(match(others, rest, _has_its_source, lambda _item, _device: True))
        return [by_mac.get(_mac(item["mac"])) if "mac" in item else next(found) for item in items]

    def new(self, item: dict[str, Any], domain: Element, options: dict[str, Any], facts: Facts) -> Element:
        """See `DeviceSection.new`. The MAC is chosen here: libvirt would choose another at each definition."""
        if not any(item.get(source) for source in _SOURCES):
            raise Failure("interfaces: a new interface needs a network, a bridge, or user: true.")
        device = ElementTree.Element("interface", {"type": "user"})
        mac = _mac(item["mac"]) if "mac" in item else self._new_mac(domain, options)
        ElementTree.SubElement(device, "mac", {"address": mac})
        ElementTree.SubElement(device, "model", {"type": "virtio"})
        return device

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """See `Section.patch`. Raw XML may hold an interface without a MAC."""
        super().patch(domain, options, facts)
        for device in self.devices(domain):
            if device.find("mac") is None:
                child(device, "mac").set("address", self._new_mac(domain, options))

    def patch_device(self, device: Element, item: dict[str, Any], domain: Element, facts: Facts) -> None:
        """See `DeviceSection.patch_device`."""
        _patch_source(device, item)
        super().patch_device(device, item, domain, facts)

    def view(self, device: Element) -> dict[str, Any]:
        """See `DeviceSection.view`."""
        return {**_source_view(device), **read_fields(device, self.fields)}

    def erase_device(self, device: Element) -> None:
        """See `DeviceSection.erase_device`."""
        super().erase_device(device)
        if _source_view(device):
            remove_all(device, "source")
            device.attrib.pop("type", None)

    def live_options(self, stored: Element | None, live: Element, target: Element) -> tuple[str, ...]:
        """libvirt moves a cable between networks and bridges, not between those and user-mode networking."""
        can_move = "user" not in (live.get("type"), target.get("type"))
        return (*super().live_options(stored, live, target), *(("network", "bridge") if can_move else ()))

    def carry_live(self, device: Element, target: Element, options: Iterable[str]) -> None:
        """See `DeviceSection.carry_live`."""
        unresolve(device)
        super().carry_live(device, target, options)
        if "network" in options or "bridge" in options:
            _set_source(device, target.get("type", ""), target.find("source"))

    def _new_mac(self, domain: Element, options: dict[str, Any]) -> str:
        """A free address of QEMU's range; the same again for the same domain, so that check mode predicts it."""
        items = options.get("interfaces", ())
        taken = {*self.keyed(domain), *(_mac(item["mac"]) for item in items if "mac" in item)}
        identity = text_at(domain, "uuid") or text_at(domain, "name") or ""
        for number in range(len(taken) + 1):
            digest = hashlib.sha256(f"{identity} {number}".encode()).hexdigest()
            mac = f"52:54:00:{digest[0:2]}:{digest[2:4]}:{digest[4:6]}"
            if mac not in taken:
                return mac
        raise Failure("interfaces: no free MAC address was found; name one (mac).")


def _mac(text: str) -> str:
    return clean_mac(text, "interfaces")


def _source_view(device: Element) -> dict[str, Any]:
    """``network``, ``bridge`` or ``user``; nothing for a source that has no option."""
    kind = kind_of(device)
    if kind == "user":
        return {"user": True}
    name = attribute_at(device, "source", kind)
    return {kind: name} if kind in _SOURCES and name else {}


def _wanted_source(item: dict[str, Any]) -> dict[str, Any]:
    return {source: item[source] for source in _SOURCES if item.get(source)}


def _has_its_source(item: dict[str, Any], device: Element) -> bool:
    wanted = _wanted_source(item)
    return bool(wanted) and wanted == _source_view(device)


def _patch_source(device: Element, item: dict[str, Any]) -> None:
    if item.get("user") is False and kind_of(device) == "user":
        raise Failure("interfaces: user: false leaves the interface nowhere to be; name a network or a bridge instead.")
    wanted = _wanted_source(item)
    if not wanted or wanted == _source_view(device):
        return
    kind, name = next(iter(wanted.items()))
    source = None if kind == "user" else ElementTree.Element("source", {kind: name})
    _set_source(device, kind, source)


def _set_source(device: Element, kind: str, source: Element | None) -> None:
    device.set("type", kind)
    for tag in ("source", "virtualport", "target", "backend"):  # all of them belong to the source it had
        remove_all(device, tag)
    if source is not None:
        device.append(clone(source))
    elif kind != "user":
        child(device, "source")


SECTION = Interfaces()
