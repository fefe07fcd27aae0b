# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network as the user wrote it in XML, laid over the one that libvirt holds. Pure."""

from __future__ import annotations

from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.config import same_network
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.fields import InterfaceField
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.normal import identity
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.merge import merge
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, clone, parse

_ADDRESS = InterfaceField("address", "@address")

# Options for dnsmasq that libvirt hands through; without this ElementTree would call the prefix ns0.
ElementTree.register_namespace("dnsmasq", "http://libvirt.org/schemas/network/dnsmasq/1.0")


def parse_network(text: str) -> Element:
    """The ``<network>`` that a user wrote, spelled as libvirt spells it.

    :raises Failure: for what is no XML, or is something else.
    """
    root = parse(text, "The option xml")
    if root.tag != "network":
        raise Failure(f"The option xml holds a <{root.tag}>; this module needs a <network>.")
    root.attrib.pop("connections", None)  # a figure in the XML of an active network
    _spell_forward(root)
    _spell_addresses(root)
    return root


def laid_over(current: Element, given: Element) -> Element:
    """The current network with all that ``given`` says; what it does not mention stays.

    :param given: of ``parse_network``.
    """
    target = clone(current)
    _spell_addresses(target)
    merge(target, given, identity)
    return clone(current) if same_network(current, target) else target


def _spell_forward(network: Element) -> None:
    """Write what ``<forward>`` leaves out: its mode, and its device as attribute and as element."""
    forward = network.find("forward")
    if forward is None:
        return
    forward.attrib.setdefault("mode", "nat")
    device = forward.find("interface")
    if device is not None:
        forward.attrib.setdefault("dev", device.get("dev", ""))
    elif forward.get("dev"):
        ElementTree.SubElement(forward, "interface", {"dev": forward.get("dev", "")})


def _spell_addresses(network: Element) -> None:
    """Write prefixes, never netmasks: an address with both is an error."""
    for ip in network.findall("ip"):
        interface = _ADDRESS.read(ip)
        if "/" in interface:
            _ADDRESS.write(ip, interface)
