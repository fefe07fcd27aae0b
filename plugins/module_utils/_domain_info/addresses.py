# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses of guests as they are told: DHCP leases of networks, guest agents, ARP table.

Everything here comes from a guest: what is no IP address is dropped, and how much there is of it is bounded.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any, Union

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.summary import bounded

_IPAddress = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

SOURCES = ("lease", "agent", "arp")
_MAXIMUM = 256  # addresses of one domain
_NAME_LENGTH = 255
_ADDRESS_LENGTH = 45  # the longest way to write an IPv6 address, without a scope


def lease_addresses(network: str, leases: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The addresses in the answer of ``virNetworkGetDHCPLeases``, the lease that ends last first."""
    newest_first = sorted(leases, key=lambda lease: lease.get("expirytime") or 0, reverse=True)
    found = (
        _address(
            "lease",
            lease.get("ipaddr"),
            prefix=lease.get("prefix"),
            mac=lease.get("mac"),
            network=network,
            hostname=lease.get("hostname"),
        )
        for lease in newest_first
    )
    return [address for address in found if address is not None]


def interface_addresses(source: str, interfaces: dict[str, Any]) -> list[dict[str, Any]]:
    """The addresses in the answer of ``virDomainInterfaceAddresses``, without those that only the guest can reach."""
    found = (
        _address(
            source,
            address.get("addr"),
            prefix=address.get("prefix"),
            mac=interface.get("hwaddr"),
            interface=name,
        )
        for name, interface in interfaces.items()
        for address in (interface or {}).get("addrs") or ()
    )
    return [address for address in found if address is not None][:_MAXIMUM]


def network_interfaces(told: dict[str, Any]) -> dict[str, Any]:
    """What our own agent answers to ``get_network_info``, in the shape of ``virDomainInterfaceAddresses``.

    What has another shape than PROTOCOL.md says is left out.
    """
    return {
        str(interface.get("name")): {
            "hwaddr": interface.get("mac"),
            "addrs": [
                {"addr": address.get("address"), "prefix": _prefix(address.get("prefix"))}
                for address in _dicts(interface.get("addresses"))
            ],
        }
        for interface in _dicts(told.get("interfaces"))
    }


def in_order_of(interfaces: list[dict[str, str]], addresses: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The addresses in the order of the domain's interfaces; those of the guest's own (bridges, tunnels) last."""
    order = {interface["mac"]: position for position, interface in enumerate(interfaces)}
    return sorted(addresses, key=lambda address: order.get(address["mac"], len(order)))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _prefix(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value <= 128 else 0


def _address(source: str, text: Any, prefix: Any, mac: Any, **names: Any) -> dict[str, Any] | None:
    address = _ip_address(str(text))
    if address is None or _is_for_the_guest_alone(address):
        return None
    return {
        "address": str(address),
        "prefix": int(prefix or 0),
        "family": f"ipv{address.version}",
        "mac": bounded(str(mac or ""), _NAME_LENGTH).lower(),
        "source": source,
        **{key: bounded(str(value), _NAME_LENGTH) for key, value in names.items() if value},
    }


def _ip_address(text: str) -> _IPAddress | None:
    # Python takes almost any text after a "%" for the scope of an IPv6 address, that is, for a part of it.
    if len(text) > _ADDRESS_LENGTH or "%" in text:
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_for_the_guest_alone(address: _IPAddress) -> bool:
    """Whether nobody can reach the guest there; whoever tries to may reach itself."""
    meant = getattr(address, "ipv4_mapped", None) or address  # ::ffff:127.0.0.1 is 127.0.0.1
    return bool(meant.is_loopback or meant.is_link_local or meant.is_unspecified or meant.is_multicast)
