# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where devices sit: their ``<address>`` elements, and whether there is room for another device. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at, clone

# Models of network interfaces that are no part of the root bus.
_PCIE_MODELS = ("virtio", "e1000e", "igb", "vmxnet3")


def address_of(device: Element) -> tuple[Any, ...] | None:
    """A value that no two devices of a domain share; None where libvirt chooses the address."""
    found = device.find("address")
    if found is None:
        return None
    # multifunction says something of the slot, not where the device is.
    return tuple(sorted((name, value) for name, value in found.attrib.items() if name != "multifunction"))


def forget(device: Element) -> None:
    """Let libvirt choose the address."""
    for found in device.findall("address"):
        device.remove(found)


def is_taken(device: Element, domain: Element) -> bool:
    """Whether another device of ``domain`` sits at the device's address, or nothing could: its bus is missing."""
    wanted = address_of(device)
    if wanted is None:
        return False
    if any(address_of(other) == wanted for other in domain.iterfind("devices/*") if other is not device):
        return True
    return ("type", "pci") in wanted and int(dict(wanted).get("bus", "0"), 16) not in _buses(domain)


def carry(source: Element, device: Element, domain: Element) -> None:
    """Give ``device``, one of ``domain``'s, the address of ``source``, unless it is taken there."""
    found = source.find("address")
    if found is None or device.find("address") is not None:
        return
    device.append(clone(found))
    if is_taken(device, domain):
        forget(device)


def needs_pcie_port(device: Element) -> bool:
    """Whether a disk, a network interface or a random number generator sits in a PCIe port of its own."""
    if device.tag == "rng":
        return True
    if device.tag == "interface":
        return attribute_at(device, "model", "type") in _PCIE_MODELS
    return device.tag == "disk" and attribute_at(device, "target", "bus") == "virtio"


def free_pcie_ports(domain: Element) -> int | None:
    """How many PCIe root ports have no device yet; None for a machine without PCIe."""
    controllers = domain.findall("devices/controller[@type='pci']")
    if not any(controller.get("model") == "pcie-root" for controller in controllers):
        return None
    ports = {controller.get("index") for controller in controllers if controller.get("model") == "pcie-root-port"}
    addresses = [found for found in domain.iterfind("devices/*/address") if found.get("type") == "pci"]
    used = {str(int(found.get("bus", "0"), 16)) for found in addresses}
    return len(ports - used)


def _buses(domain: Element) -> set[int]:
    return {int(controller.get("index", "0")) for controller in domain.iterfind("devices/controller[@type='pci']")}
