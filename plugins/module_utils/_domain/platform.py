# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a new domain needs besides what it has options for: ACPI, clock, room for hot-plug. Pure."""

from __future__ import annotations

from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections import firmware, machine
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at, child

# PCIe ports beyond those that the new domain's devices take: a running domain cannot get more.
_SPARE_PORTS = 6
_PORTS_OF_EVERY_DOMAIN = 3  # USB, virtio-serial, balloon
# How timers behave when the guest misses ticks: https://libvirt.org/formatdomain.html#time-keeping
_TIMERS = (
    {"name": "rtc", "tickpolicy": "catchup"},
    {"name": "pit", "tickpolicy": "delay"},
    {"name": "hpet", "present": "no"},
)


def complete(domain: Element) -> None:
    """Give a new domain, whose devices are there, what is left, in place."""
    arch = attribute_at(domain, "os/type", "arch")
    x86 = arch in ("x86_64", "i686")
    if x86 or firmware.is_uefi(domain):
        child(domain, "features/acpi")  # a guest without it hears no shutdown request
    if x86:
        child(domain, "features/apic")
    clock = child(domain, "clock")
    clock.set("offset", "utc")
    for timer in _TIMERS if x86 else ():
        ElementTree.SubElement(clock, "timer", timer)
    if machine.family(attribute_at(domain, "os/type", "machine") or "") in ("q35", "virt"):
        _add_ports(domain)


def _add_ports(domain: Element) -> None:
    devices = child(domain, "devices")
    taken = _PORTS_OF_EVERY_DOMAIN + sum(_takes_port(device) for device in devices)
    ElementTree.SubElement(devices, "controller", {"type": "pci", "index": "0", "model": "pcie-root"})
    for number in range(1, taken + _SPARE_PORTS + 1):
        attributes = {"type": "pci", "index": str(number), "model": "pcie-root-port"}
        ElementTree.SubElement(devices, "controller", attributes)


def _takes_port(device: Element) -> bool:
    if device.tag == "disk":
        return attribute_at(device, "target", "bus") == "virtio"
    if device.tag == "controller":
        return device.get("type") == "scsi"
    return device.tag in ("interface", "rng")
