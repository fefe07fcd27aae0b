# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the XML that libvirt holds and the options of a task to the XML that is wanted. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.entries import (
    DHCP_KINDS,
    DNS_KINDS,
    IPS,
    patch_entries,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.fields import (
    BOOTP_FIELDS,
    BRIDGE_FIELDS,
    DNS_FIELDS,
    DOMAIN_FIELDS,
    FORWARD_WORDS,
    NAT_ADDRESS_FIELDS,
    NAT_FIELDS,
    NAT_PORT_FIELDS,
    VIRTUAL_FIELDS,
    VIRTUAL_MODES,
    read_mode,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import patch_fields
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    child,
    clone,
    remove_all,
)

# What only a network with a bridge of its own has.
_VIRTUAL_PARTS = ("ip", "route", "dns", "domain", "mtu", "mac")
# What only a switch of the host has; portgroups may have them, too.
_SWITCH_PARTS = ("vlan", "virtualport")


def patched(network: Element, options: dict[str, Any], purge: Iterable[str]) -> Element:
    """A copy of a ``<network>`` with the named options; nothing else of it changes.

    :param options: of ``clean_options``.
    :param purge: the lists that hold nothing but what the options list.
    """
    target = clone(network)
    purges = frozenset(purge)
    if "mode" in options:
        _set_mode(target, options["mode"])
    patch_fields(target, (*BRIDGE_FIELDS, *VIRTUAL_FIELDS), options)
    nat = options.get("nat", {})
    patch_fields(target, NAT_FIELDS, nat)
    patch_fields(target, NAT_ADDRESS_FIELDS, nat.get("address", {}))
    patch_fields(target, NAT_PORT_FIELDS, nat.get("port", {}))
    patch_fields(target, DOMAIN_FIELDS, options.get("domain", {}))
    patch_fields(target, DNS_FIELDS, options.get("dns", {}))
    for kind in DNS_KINDS:
        if kind.option in options.get("dns", {}):
            patch_entries(target, kind, options["dns"][kind.option], kind.purge in purges)
    if "ips" in options:
        for ip, wanted in patch_entries(target, IPS, options["ips"], IPS.purge in purges):
            _patch_dhcp(ip, wanted.get("dhcp", {}), purges)
    return target


def _patch_dhcp(ip: Element, dhcp: dict[str, Any], purges: frozenset[str]) -> None:
    for kind in DHCP_KINDS:
        if kind.option in dhcp:
            patch_entries(ip, kind, dhcp[kind.option], kind.purge in purges)
    patch_fields(ip, BOOTP_FIELDS, dhcp.get("bootp", {}))


def _set_mode(network: Element, mode: str) -> None:
    """Change the mode, and take away what the new mode cannot have."""
    now = read_mode(network)
    if now == mode:
        return
    if mode not in VIRTUAL_MODES or now not in VIRTUAL_MODES:
        # The bridge of the host is not one that libvirt makes, and the other way round.
        gone = ("bridge", "forward", *(_SWITCH_PARTS if mode in VIRTUAL_MODES else _VIRTUAL_PARTS))
        for part in (network, *network.findall("portgroup")):
            for tag in gone:
                remove_all(part, tag)
    if mode == "isolated":
        remove_all(network, "forward")
        return
    forward = child(network, "forward")
    forward.set("mode", FORWARD_WORDS[mode])
    if mode != "nat":
        remove_all(forward, "nat")
    if mode == "open":  # libvirt sets no firewall rules there, so it cannot name a device
        forward.attrib.pop("dev", None)
        remove_all(forward, "interface")
