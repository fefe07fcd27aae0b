# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of a guest's addresses Ansible is to use. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

_Test = Callable[[dict[str, Any], dict[str, Any]], bool]


class AddressPolicy:
    """The order in which addresses are preferred.

    :param families: ``ipv4``, ``ipv6``, the preferred one first; an address of another family is not used.
    :param networks: names of libvirt networks and CIDRs, the preferred one first; an address in none of them is
        not used. Empty: all are.
    :raises Failure: for a CIDR that is none, or when netaddr is missing.
    """

    def __init__(self, families: list[str], networks: list[str]) -> None:
        self._families = families
        self._networks = [_network_test(network) for network in networks] or [lambda _address, _facts: True]

    def choose(self, facts: dict[str, Any]) -> str | None:
        """The best of a domain's addresses (the source that was asked first wins), or None.

        One on an interface that only the guest has, a bridge of containers for example, comes after all others. It
        does come: the guest may have bridged its interface, or have a card of the host.

        :param facts: of one domain: ``addresses`` in the order of their sources, and ``interfaces``.
        """
        addresses = facts["addresses"]
        if not addresses:
            return None  # a stopped domain, and a fleet may have thousands
        sources = list(dict.fromkeys(address["source"] for address in addresses))
        own = {interface["mac"] for interface in facts["interfaces"]}
        ranked = []
        for position, address in enumerate(addresses):
            rank = self._rank(address, facts)
            if rank is not None:
                foreign = address["mac"] not in own
                ranked.append((foreign, sources.index(address["source"]), *rank, position, address["address"]))
        return min(ranked)[-1] if ranked else None

    def _rank(self, address: dict[str, Any], facts: dict[str, Any]) -> tuple[int, int] | None:
        if address["family"] not in self._families:
            return None
        for position, test in enumerate(self._networks):
            if test(address, facts):
                return position, self._families.index(address["family"])
        return None


def _network_test(network: str) -> _Test:
    if "/" not in network:
        return lambda address, facts: _is_on(network, address, facts)
    try:
        import netaddr  # takes long to import, and few need it
    except ImportError:
        raise Failure(
            f"address_networks: '{network}' needs the Python library netaddr, which is missing: install "
            "python3-netaddr (Debian, Fedora) or netaddr (pip), or name a libvirt network instead."
        ) from None
    try:
        block = netaddr.IPNetwork(network)
    except (netaddr.AddrFormatError, ValueError) as error:
        raise Failure(f"address_networks: '{network}' is not a network such as 10.0.0.0/8 or fd00::/8.") from error
    return lambda address, _facts: netaddr.IPAddress(address["address"]) in block


def _is_on(network: str, address: dict[str, Any], facts: dict[str, Any]) -> bool:
    """Whether an address is one that a libvirt network leased, or of an interface that is plugged into it."""
    return address.get("network") == network or any(
        interface["type"] == "network" and interface["source"] == network and interface["mac"] == address["mac"]
        for interface in facts["interfaces"]
    )
