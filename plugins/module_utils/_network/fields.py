# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the options of a network live in libvirt's XML (https://libvirt.org/formatnetwork.html). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.addresses import (
    interface_of,
    shortest,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import (
    INTEGER,
    ON_OFF,
    TEXT,
    YES_NO,
    Field,
    Kind,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    child,
    remove,
)

# libvirt keeps addresses as they were written in some places and shortens them in others.
ADDRESS = Kind(read=shortest, write=str)
MAC = Kind(read=str.lower, write=str)
_WITHOUT_ZERO = Kind(read=int, write=lambda value: str(value) if value else None, clean=INTEGER.clean)
_TEXTS = Kind(read=str, write=str)  # a list of texts; TextsField reads and writes it

# libvirt's word → ours, where they differ; no <forward> at all is an isolated network.
_MODE_WORDS = {"route": "routed"}
VIRTUAL_MODES = ("nat", "routed", "open", "isolated")
FORWARD_WORDS = {"nat": "nat", "routed": "route", "open": "open", "bridge": "bridge"}


@dataclass(frozen=True)
class DefaultField(Field):
    """An option for which libvirt has a fixed default, so that silence and the default mean the same."""

    default: Any = None

    def read(self, element: Element) -> Any:
        """The value in ``element``, or the default."""
        found = super().read(element)
        return self.default if found is None else found


class InterfaceField(Field):
    """The address of an ``<ip>``: address and prefix (or netmask) as one ``192.168.77.1/24``."""

    def read(self, element: Element) -> Any:
        """The address with its prefix."""
        return interface_of(element.get("address", ""), element.get("prefix"), element.get("netmask"))

    def write(self, element: Element, value: Any) -> None:
        """Write address and prefix, and the family where it is IPv6."""
        address, _slash, prefix = value.partition("/")
        element.attrib.pop("netmask", None)
        element.attrib.pop("family", None)
        if ":" in address:
            element.set("family", "ipv6")
        element.set("address", address)
        element.set("prefix", prefix)


class ForwardDeviceField(Field):
    """The host's device that traffic leaves by: libvirt writes it as an attribute and as an element."""

    def read(self, element: Element) -> Any:
        """The name of the device, or None."""
        device = element.find("forward/interface")
        found = element.find("forward") if device is None else device
        return None if found is None else found.get("dev")

    def write(self, element: Element, value: Any) -> None:
        """Write both forms; an empty name removes both."""
        forward = child(element, "forward") if value else element.find("forward")
        if forward is None:
            return
        for old in forward.findall("interface"):
            forward.remove(old)
        forward.attrib.pop("dev", None)
        if value:
            forward.set("dev", value)
            ElementTree.SubElement(forward, "interface", {"dev": value})


class TextsField(Field):
    """A list of texts, each an element of its own: the ``<hostname>`` of a DNS host."""

    def read(self, element: Element) -> Any:
        """The texts in their order."""
        return [(item.text or "").strip() for item in element.findall(self.place)]

    def write(self, element: Element, value: Any) -> None:
        """Replace the elements."""
        while element.find(self.place) is not None:
            remove(element, self.place)
        for text in value:
            ElementTree.SubElement(element, self.place).text = text


BRIDGE_FIELDS = (Field("bridge", "bridge@name"),)
VIRTUAL_FIELDS = (
    Field("mtu", "mtu@size", INTEGER),
    DefaultField("stp", "bridge@stp", ON_OFF, default=True),
    ForwardDeviceField("forward_dev", "forward"),
)
NAT_FIELDS = (DefaultField("ipv6", "forward/nat@ipv6", YES_NO, default=False),)
NAT_ADDRESS_FIELDS = (
    Field("start", "forward/nat/address@start", ADDRESS),
    Field("end", "forward/nat/address@end", ADDRESS),
)
# libvirt writes these defaults into the XML of an active network only.
NAT_PORT_FIELDS = (
    DefaultField("start", "forward/nat/port@start", INTEGER, default=1024),
    DefaultField("end", "forward/nat/port@end", INTEGER, default=65535),
)
DOMAIN_FIELDS = (
    Field("name", "domain@name"),
    DefaultField("local_only", "domain@localOnly", YES_NO, default=False),
)
DNS_FIELDS = (
    DefaultField("enable", "dns@enable", YES_NO, default=True),
    DefaultField("forward_plain_names", "dns@forwardPlainNames", YES_NO, default=True),
)
IP_FIELDS = (InterfaceField("address", "@address"), Field("tftp_root", "tftp@root"))
BOOTP_FIELDS = (
    Field("file", "dhcp/bootp@file"),
    Field("server", "dhcp/bootp@server"),
)
RANGE_FIELDS = (Field("start", "@start", ADDRESS), Field("end", "@end", ADDRESS))
DHCP_HOST_FIELDS = (
    Field("mac", "@mac", MAC),
    Field("id", "@id", MAC),
    Field("name", "@name"),
    Field("ip", "@ip", ADDRESS),
)
DNS_HOST_FIELDS = (Field("ip", "@ip", ADDRESS), TextsField("names", "hostname", _TEXTS))
TXT_FIELDS = (Field("name", "@name"), Field("value", "@value"))
SRV_FIELDS = (
    Field("service", "@service"),
    Field("protocol", "@protocol"),
    Field("domain", "@domain"),
    Field("target", "@target"),
    Field("port", "@port", INTEGER),
    # libvirt does not write a zero.
    Field("priority", "@priority", _WITHOUT_ZERO),
    Field("weight", "@weight", _WITHOUT_ZERO),
)
FORWARDER_FIELDS = (Field("address", "@addr", ADDRESS), Field("domain", "@domain", TEXT))


def read_mode(network: Element) -> str:
    """How a network reaches the outside: one of our modes, or libvirt's word for one we do not make."""
    forward = network.find("forward")
    if forward is None:
        return "isolated"
    word = forward.get("mode", "nat")
    return _MODE_WORDS.get(word, word)
