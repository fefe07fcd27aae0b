# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses as a person writes them, checked with Python's ipaddress. Pure."""

from __future__ import annotations

import ipaddress
from typing import Union

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
Interface = Union[ipaddress.IPv4Interface, ipaddress.IPv6Interface]


def clean_interface(text: str, option: str) -> str:
    """A host's own address with its prefix, such as ``192.168.77.1/24``, in the shortest form.

    :raises Failure: for what is no address, has no prefix, or is the address of the network itself.
    """
    if "/" not in text:
        raise Failure(
            f"{option}: '{text}' has no prefix length. Write the host's address in the network "
            "together with it, such as 192.168.77.1/24."
        )
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError as error:
        raise Failure(f"{option}: {error}. Write an address such as 192.168.77.1/24.") from None
    _refuse_reserved(interface.ip, interface, option)
    return str(interface)


def clean_address(text: str, option: str) -> str:
    """An IPv4 or IPv6 address in its shortest form.

    :raises Failure: for what is none.
    """
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise Failure(f"{option}: '{text}' is not an IPv4 or IPv6 address.") from None


def shortest(text: str) -> str:
    """An address from libvirt's XML in its shortest form; anything else as it is."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def interface_of(address: str, prefix: str | None, netmask: str | None) -> str:
    """``address/prefix`` from the attributes of libvirt's ``<ip>``, which has a prefix or a netmask.

    Where both are missing libvirt takes the address class of old; that is left as it is.
    """
    try:
        return str(ipaddress.ip_interface(f"{address}/{prefix or netmask}"))
    except ValueError:
        return address


def check_inside(address: str, interface: str, option: str) -> None:
    """Refuse an address that no guest in the network of ``interface`` can have.

    :raises Failure: when it is outside, or is the network's own or broadcast address.
    """
    home = ipaddress.ip_interface(interface)
    guest = ipaddress.ip_address(address)
    if guest.version != home.version or guest not in home.network:
        raise Failure(f"{option}: {address} is not inside the network {home.network}.")
    _refuse_reserved(guest, home, option)


def check_order(start: str, end: str, option: str) -> None:
    """Refuse a range that ends before it starts or mixes IPv4 and IPv6.

    :raises Failure: for such a range.
    """
    first, last = ipaddress.ip_address(start), ipaddress.ip_address(end)
    if first.version != last.version or int(first) > int(last):
        raise Failure(f"{option}: the end of the range {start} - {end} does not come after its start.")


def overlap(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two ranges (first and last address) share an address."""
    try:
        start, end, other_start, other_end = (ipaddress.ip_address(text) for text in one + other)
    except ValueError:
        return False
    if start.version != other_start.version:
        return False
    return int(start) <= int(other_end) and int(other_start) <= int(end)


def networks_overlap(one: str, other: str) -> bool:
    """Whether the networks of two addresses with prefix share an address."""
    try:
        return network_of(one).overlaps(network_of(other))
    except (TypeError, ValueError):  # IPv4 and IPv6; or an address class of old
        return False


def network_of(interface: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The network of an address with prefix."""
    return ipaddress.ip_interface(interface).network


def _refuse_reserved(address: Address, interface: Interface, option: str) -> None:
    network = interface.network
    if address.version == 6 or network.num_addresses <= 2:
        return
    if address == network.network_address:
        raise Failure(f"{option}: {address} is the address of the network {network} itself.")
    if address == network.broadcast_address:
        raise Failure(f"{option}: {address} is the broadcast address of the network {network}.")
