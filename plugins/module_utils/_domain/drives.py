# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What disks and CD-ROMs share: both are ``<disk>`` elements, named by one sequence of targets. Pure."""

from __future__ import annotations

import string
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain import addresses
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.devices import DeviceSection, match
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.images import (
    IMAGE_OPTIONS,
    erase_image,
    has_image,
    image_view,
    is_covered,
    patch_image,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import patch_fields, read_fields
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at, child

BUSES = ["virtio", "scsi", "sata", "usb", "ide"]
_PREFIXES = {"virtio": "vd", "ide": "hd"}


class DriveSection(DeviceSection):
    """Drives of one kind.

    :cvar kind: libvirt's name of the kind, ``disk`` or ``cdrom``.
    :cvar default_bus: of a drive that does not say.
    :cvar any_bus: whether an item that names no bus may also be about a drive on another one.
    """

    tag = "disk"
    kind = ""
    default_bus = ""
    any_bus = False

    def mine(self, device: Element) -> bool:
        """See `DeviceSection.mine`."""
        return device.get("device", "disk") == self.kind

    def key(self, device: Element, position: int) -> str:
        """The target."""
        return target_of(device) or str(position)

    def devices(self, domain: Element) -> list[Element]:
        """In the order of their targets: libvirt's order is that in which they were added."""
        return sorted(super().devices(domain), key=lambda device: _order(target_of(device)))

    def find(self, domain: Element, items: list[dict[str, Any]]) -> list[Element | None]:
        """By target; an item without one is about the drive of its bus that has its image, else about the next one."""
        named = {item["target"] for item in items if "target" in item}
        rest = [device for device in self.devices(domain) if target_of(device) not in named]
        others = [item for item in items if "target" not in item]
        found = iter(match(others, rest, self._has_its_image, self._may_be))
        return [self._with_target(domain, item["target"]) if "target" in item else next(found) for item in items]

    def new(self, item: dict[str, Any], domain: Element, options: dict[str, Any], facts: Facts) -> Element:
        """See `DeviceSection.new`."""
        device = ElementTree.Element("disk", {"type": "file", "device": self.kind})
        bus = item.get("bus", self.default_bus)
        target = item.get("target") or self._free_target(domain, options, bus)
        ElementTree.SubElement(device, "driver", {"name": "qemu"})
        ElementTree.SubElement(device, "target", {"dev": target, "bus": bus})
        if bus == "scsi":
            ensure_scsi_controller(domain)
        return device

    def patch_device(self, device: Element, item: dict[str, Any], domain: Element, facts: Facts) -> None:
        """See `DeviceSection.patch_device`."""
        bus = attribute_at(device, "target", "bus")
        exchanged = patch_image(device, item, facts)
        if exchanged and image_view(device) and "format" not in item:
            child(device, "driver").set("type", self.image_format(item, facts))
        if is_covered(device, item, facts):  # its format is that of the file on top, which is none of the item's
            item = {option: value for option, value in item.items() if option != "format"}
        patch_fields(device, self.fields, item)
        if attribute_at(device, "target", "bus") != bus:
            addresses.forget(device)
            if item.get("bus") == "scsi":
                ensure_scsi_controller(domain)

    def image_format(self, item: dict[str, Any], facts: Facts) -> str:
        """How the image that an item names is written, where the item does not say."""
        raise NotImplementedError

    def view(self, device: Element) -> dict[str, Any]:
        """See `DeviceSection.view`. An empty drive has no format; libvirt writes one at random."""
        view = {**image_view(device), **read_fields(device, self.fields)}
        hidden = () if image_view(device) else ("format",)
        return {option: value for option, value in view.items() if value is not False and option not in hidden}

    def live_view(self, live: Element, stored: Element | None) -> dict[str, Any]:
        """See `DeviceSection.live_view`. A format that is left to libvirt shows when running."""
        view = self.view(live)
        if stored is not None and "format" not in self.view(stored):
            view.pop("format", None)
        return view

    def erase_device(self, device: Element) -> None:
        """See `DeviceSection.erase_device`."""
        super().erase_device(device)
        erase_image(device)
        device.attrib.pop("type", None)

    def why_not_attach(self, device: Element, live: Element) -> str:
        """See `DeviceSection.why_not_attach`."""
        bus = attribute_at(device, "target", "bus")
        if bus not in ("virtio", "scsi", "usb"):
            return f"{bus} has no hot-plug"
        if bus == "scsi" and live.find("devices/controller[@type='scsi']") is None:
            return "the running domain has no SCSI controller"
        return ""

    def can_detach(self, device: Element) -> bool:
        """See `DeviceSection.can_detach`."""
        return attribute_at(device, "target", "bus") in ("virtio", "scsi", "usb")

    def live_options(self, stored: Element | None, live: Element, target: Element) -> tuple[str, ...]:
        """A medium can be exchanged, and its format with it."""
        return (*IMAGE_OPTIONS, "format") if self.kind == "cdrom" else ()

    def _may_be(self, item: dict[str, Any], device: Element) -> bool:
        """Whether an item without a target may be about a drive."""
        bus = item.get("bus", self.default_bus)
        if self.any_bus and "bus" not in item:  # but of one sequence of targets, or new ones would come in between
            return target_of(device).startswith(_PREFIXES.get(bus, "sd"))
        return attribute_at(device, "target", "bus") == bus

    def _has_its_image(self, item: dict[str, Any], device: Element) -> bool:
        return self._may_be(item, device) and has_image(device, item, Facts())

    def _with_target(self, domain: Element, target: str) -> Element | None:
        for device in domain.iterfind("devices/disk"):
            if target_of(device) == target:
                if not self.mine(device):
                    is_a = f"is a {device.get('device')}, not a {self.kind}"
                    raise Failure(f"{self.option}: '{target}' of this domain {is_a}.")
                return device
        return None

    def _free_target(self, domain: Element, options: dict[str, Any], bus: str) -> str:
        """The first free target after those in use, so that a second run finds the drives in the same order."""
        named = _named_targets(options)
        taken = named | {target_of(device) for device in domain.iterfind("devices/disk")}
        prefix = _PREFIXES.get(bus, "sd")
        mine = [target_of(device) for device in self.devices(domain)]
        used = [target for target in mine if target.startswith(prefix) and target not in named]
        start = _number(max(used, key=_order)[len(prefix) :]) + 1 if used else 0
        return next(name for name in _targets(prefix, start) if name not in taken)


def target_of(device: Element) -> str:
    """``vda``; an empty text where there is none."""
    return attribute_at(device, "target", "dev") or ""


def ensure_scsi_controller(domain: Element) -> None:
    """Have a SCSI controller of the kind that guests of clouds have a driver for."""
    if domain.find("devices/controller[@type='scsi']") is None:
        attributes = {"type": "scsi", "index": "0", "model": "virtio-scsi"}
        ElementTree.SubElement(child(domain, "devices"), "controller", attributes)


def _named_targets(options: dict[str, Any]) -> set[str]:
    items = (*options.get("disks", ()), *options.get("cdroms", ()))
    return {item["target"] for item in items if "target" in item}


def _order(target: str) -> tuple[str, int, str]:
    """vdb before vdaa."""
    return target[:2], len(target), target


def _number(letters: str) -> int:
    """``a`` is 0, ``z`` 25, ``aa`` 26."""
    number = 0
    for letter in letters:
        number = number * 26 + string.ascii_lowercase.find(letter) + 1
    return number - 1


def _targets(prefix: str, start: int) -> Iterable[str]:
    number = start
    while True:
        letters, rest = "", number
        while rest >= 0:
            letters = string.ascii_lowercase[rest % 26] + letters
            rest = rest // 26 - 1
        yield prefix + letters
        number += 1
