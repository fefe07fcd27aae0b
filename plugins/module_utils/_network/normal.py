# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One spelling for everything that libvirt lets be written in several ways. Pure."""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.addresses import (
    interface_of,
    shortest,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.fields import VIRTUAL_MODES, read_mode
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    canonical,
    clone,
    is_empty,
    remove,
    remove_all,
)

# Attributes that mean the same as silence: element, attribute, value.
_DEFAULTS = (
    (".", "ipv6", "no"),
    ("bridge", "stp", "on"),
    ("bridge", "delay", "0"),
    ("domain", "localOnly", "no"),
    ("dns", "enable", "yes"),
    ("dns", "forwardPlainNames", "yes"),
    ("forward/nat", "ipv6", "no"),
    ("portgroup", "default", "no"),
)
# Of these the order means nothing, and live updates do not keep it.
_UNORDERED = ("host", "range", "txt", "srv", "portgroup", "route")

# What tells namesakes apart: all of these attributes or, for a host, the first that is there.
_IDENTITIES = {
    "ip": ("address",),
    "route": ("address", "prefix", "netmask"),
    "host": ("mac", "id", "name", "ip"),
    "range": ("start", "end"),
    "txt": ("name",),
    "srv": ("service", "protocol", "domain", "target"),
    "forwarder": ("addr", "domain"),
    "portgroup": ("name",),
}
_FIRST_OF = ("host",)

# Where the options of the module live: the attributes at each path. An element that holds nothing else can go.
_OPTIONS = {
    "forward": ("mode", "dev"),
    "forward/interface": ("dev",),
    "forward/nat": ("ipv6",),
    "forward/nat/address": ("start", "end"),
    "forward/nat/port": ("start", "end"),
    "bridge": ("name", "stp"),
    "mtu": ("size",),
    "domain": ("name", "localOnly"),
    "dns": ("enable", "forwardPlainNames"),
    "dns/forwarder": ("addr", "domain"),
    "dns/host": ("ip",),
    "dns/txt": ("name", "value"),
    "dns/srv": ("service", "protocol", "domain", "target", "port", "priority", "weight"),
    "ip": ("address",),
    "ip/tftp": ("root",),
    "ip/dhcp/range": ("start", "end"),
    "ip/dhcp/host": ("mac", "id", "name", "ip"),
    "ip/dhcp/bootp": ("file", "server"),
}
# The options that a network without a bridge of its own has.
_OPTIONS_ELSEWHERE = {"forward": ("mode",), "bridge": ("name",)}
_CONTAINERS = {tag for path in _OPTIONS for tag in path.split("/")}


def normalised(network: Element) -> Element:
    """A copy in one spelling: short addresses, prefixes, lower-case MACs, no defaults, sorted sets."""
    copy = clone(network)
    copy.attrib.pop("connections", None)
    for path, name, value in _DEFAULTS:
        for found in copy.iterfind(path):
            if found.get(name) == value:
                del found.attrib[name]
    _normalise_forward(copy)
    _normalise_addresses(copy)
    for path in ("bridge", "dns", "domain", "forward/nat"):
        part = copy.find(path)
        if part is not None and is_empty(part):
            remove(copy, path)
    for parent in copy.iter():
        _sort(parent)
    return copy


def without_options(network: Element) -> Element:
    """What no option of the module stands for, in one spelling."""
    rest = normalised(network)
    options = _OPTIONS if read_mode(network) in VIRTUAL_MODES else _OPTIONS_ELSEWHERE
    for path, names in options.items():
        for found in rest.iterfind(path):
            for name in names:
                found.attrib.pop(name, None)
    for host in rest.iterfind("dns/host"):
        host[:] = []  # its names
    _prune(rest)
    for tag in ("name", "uuid", "mac"):
        remove(rest, tag)
    return rest


def _prune(element: Element) -> None:
    """Remove what has nothing left in it."""
    for item in list(element):
        _prune(item)
        if item.tag in _CONTAINERS and is_empty(item):
            element.remove(item)


def identity(element: Element) -> str | None:
    """What tells an element from its namesakes, or None where only its position does."""
    names = _IDENTITIES.get(element.tag)
    if names is None:
        return None
    if element.tag in _FIRST_OF:
        return next((shortest(element.get(name, "")).lower() for name in names if name in element.attrib), None)
    return " ".join(shortest(element.get(name, "")) for name in names if name in element.attrib) or None


def _normalise_forward(network: Element) -> None:
    forward = network.find("forward")
    if forward is None:
        return
    forward.attrib.setdefault("mode", "nat")
    if forward.find("pf") is not None:  # an active network lists the virtual functions that it found
        for tag in ("interface", "address"):
            remove_all(forward, tag)
    devices = forward.findall("interface")
    for device in devices:
        device.attrib.pop("connections", None)
    # libvirt writes the device twice: as an attribute and as the only interface.
    if len(devices) == 1 and devices[0].attrib == {"dev": devices[0].get("dev", "")}:
        forward.set("dev", devices[0].get("dev", ""))
        forward.remove(devices[0])
    port = forward.find("nat/port")
    if port is not None and port.attrib == {"start": "1024", "end": "65535"}:
        remove(forward, "nat/port")


def _normalise_addresses(network: Element) -> None:
    for ip in network.findall("ip"):
        interface = interface_of(ip.get("address", ""), ip.get("prefix"), ip.get("netmask"))
        for name in ("netmask", "prefix", "family"):
            ip.attrib.pop(name, None)
        ip.set("address", interface)
        dhcp = ip.find("dhcp")
        if dhcp is not None and is_empty(dhcp):
            ip.remove(dhcp)
    for element in network.iter():
        for name in ("ip", "start", "end", "addr", "gateway"):
            if name in element.attrib:
                element.set(name, shortest(element.get(name, "")))
        for name in ("mac", "address") if element.tag == "mac" else ("mac",):
            if name in element.attrib:
                element.set(name, element.get(name, "").lower())


def _sort(parent: Element) -> None:
    if any(item.tag in _UNORDERED for item in parent):
        parent[:] = sorted(parent, key=_sort_key)


def _sort_key(item: Element) -> tuple[str, str]:
    # Stable: what has an order keeps it.
    return (item.tag, repr(canonical(item)) if item.tag in _UNORDERED else "")
