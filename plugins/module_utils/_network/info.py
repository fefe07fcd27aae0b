# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listing networks and the addresses they gave out: what the module network_info does."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.lookup import (
    find_network,
    read_network,
    report,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._parallel import each

# Longer than any host name; a guest may send what it likes.
_LONGEST = 255


def collect(params: dict[str, Any], hypervisor: Hypervisor) -> dict[str, Any]:
    """The networks of a hypervisor, or the one that is named; sorted by name."""

    def information(network: Any) -> dict[str, Any]:
        current = read_network(hypervisor, network)
        if not params["leases"]:
            return report(current)
        return {**report(current), "leases": _leases(hypervisor, network) if current.live is not None else []}

    networks = each(information, _selected(params["name"], hypervisor))
    return {"networks": sorted(networks, key=lambda network: str(network["name"]))}


def describe_lease(lease: dict[str, Any]) -> dict[str, Any]:
    """A lease of ``virNetworkGetDHCPLeases`` in the words of this collection."""
    return {
        "mac": lease["mac"],
        "ip": lease["ipaddr"],
        "prefix": lease["prefix"],
        "hostname": _bounded(lease["hostname"]),
        "client_id": _bounded(lease["clientid"]),
        "expires": datetime.fromtimestamp(lease["expirytime"], timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _selected(name: str | None, hypervisor: Hypervisor) -> list[Any]:
    if name is None:
        return list(hypervisor.call("list the networks", hypervisor.connection.listAllNetworks, 0))
    network = find_network(hypervisor, name, None)
    return [] if network is None else [network]


def _leases(hypervisor: Hypervisor, network: Any) -> list[dict[str, Any]]:
    leases = hypervisor.call(f"list the DHCP leases of the network '{network.name()}'", network.DHCPLeases)
    return sorted((describe_lease(lease) for lease in leases), key=lambda lease: (str(lease["mac"]), str(lease["ip"])))


def _bounded(text: str | None) -> str | None:
    return None if text is None else text[:_LONGEST]
