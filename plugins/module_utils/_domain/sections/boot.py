# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In which order the firmware tries the devices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import Running, Section
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at, child


class Boot(Section):
    """The boot order by kinds of devices. libvirt knows either this or an order of single devices, never both.

    It comes after the devices in the list of sections, to see theirs.
    """

    arguments = {"boot": {"type": "list", "elements": "str", "choices": ["hd", "cdrom", "network", "fd"]}}

    def read(self, domain: Element) -> dict[str, Any]:
        """See `Section.read`."""
        order = [item.get("dev", "") for item in domain.iterfind("os/boot")]
        return {"boot": order} if order else {}

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """See `Section.patch`. Who names ``boot`` gives up the order of single devices, and the other way round.

        Where neither is left libvirt boots from the hard disk, and writes that down.
        """
        ordered = _ordered_devices(domain)
        wanted = options.get("boot")
        if wanted and _names_device_order(options):
            raise Failure("boot and boot_order exclude each other: order either kinds of devices or single devices.")
        if _names_device_order(options):
            _check_places(ordered)
        if wanted:
            for device in ordered:
                device.remove(child(device, "boot"))
        elif ordered:
            wanted = []
        elif wanted is not None:
            wanted = ["hd"]
        if wanted is not None and wanted != self.read(domain).get("boot", []):
            self.erase(domain)
            for kind in wanted:
                ElementTree.SubElement(child(domain, "os"), "boot", {"dev": kind})

    def live_differences(self, running: Running) -> list[Change]:
        """See `Section.live_differences`. An order of single devices says something about this one, in each run."""
        implied = {"boot": None} if _names_device_order(running.options) else {}
        return super().live_differences(replace(running, options={**implied, **running.options}))

    def erase(self, domain: Element) -> None:
        """See `Section.erase`."""
        for parent in domain.findall("os"):
            for item in parent.findall("boot"):
                parent.remove(item)


def _check_places(devices: list[Element]) -> None:
    taken: dict[str | None, Element] = {}
    for device in devices:
        place = attribute_at(device, "boot", "order")
        other = taken.setdefault(place, device)
        if other is not device:
            raise Failure(
                f"boot_order: {place} is the place of two devices, {_name(other)} and {_name(device)}; give each one "
                "of its own, also where the task does not list it so far."
            )


def _name(device: Element) -> str:
    """The MAC address of an interface, the target of a drive; else what it is."""
    return attribute_at(device, "mac", "address") or attribute_at(device, "target", "dev") or device.tag


def _ordered_devices(domain: Element) -> list[Element]:
    return [device for device in domain.iterfind("devices/*") if device.find("boot") is not None]


def _names_device_order(options: dict[str, Any]) -> bool:
    return any(
        item.get("boot_order") for option in ("disks", "cdroms", "interfaces") for item in options.get(option, ())
    )


SECTION = Boot()
