# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses as libvirt tells them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.addresses import (
    in_order_of,
    interface_addresses,
    lease_addresses,
    network_interfaces,
)


def lease(address: Any, **more: Any) -> dict[str, Any]:
    return {"ipaddr": address, "mac": "52:54:00:00:00:01", "prefix": 24, "expirytime": 100, "hostname": None, **more}


def test_the_lease_that_ends_last_comes_first() -> None:
    found = lease_addresses("lan", [lease("10.0.0.1"), lease("10.0.0.2", expirytime=200, hostname="web")])
    assert found == [
        {
            "address": "10.0.0.2",
            "prefix": 24,
            "family": "ipv4",
            "mac": "52:54:00:00:00:01",
            "source": "lease",
            "network": "lan",
            "hostname": "web",
        },
        {
            "address": "10.0.0.1",
            "prefix": 24,
            "family": "ipv4",
            "mac": "52:54:00:00:00:01",
            "source": "lease",
            "network": "lan",
        },
    ]


def test_what_a_guest_says_and_is_no_address_is_dropped() -> None:
    said = ["{{ 7*7 }}", "10.0.0.999", "", None, 4, "127.0.0.1", "::1", "fe80::1", "0.0.0.0", "224.0.0.1"]
    said += ["2001:db8::1%x;touch x;{{7*191}}", "2001:db8::1%eth0", "fe80::1%eth0", "2001:db8::1%" + "x" * 1000000]
    said += ["::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:169.254.0.1", "::ffff:224.0.0.1"]
    interfaces = {"eth0": {"hwaddr": "52:54:00:00:00:01", "addrs": [{"addr": text, "prefix": 8} for text in said]}}
    assert interface_addresses("agent", interfaces) == []


def test_the_longest_address_is_one() -> None:
    text = "2001:0db8:0000:0000:0000:ffff:255.255.255.255"
    interfaces = {"eth0": {"addrs": [{"addr": text, "prefix": 64}, {"addr": "::ffff:10.0.0.1", "prefix": 96}]}}
    assert [address["family"] for address in interface_addresses("agent", interfaces)] == ["ipv6", "ipv6"]


def test_a_guest_cannot_flood_us_with_addresses_or_names() -> None:
    addresses = [{"addr": f"10.{high}.{low}.1", "prefix": 8} for high in range(4) for low in range(250)]
    interfaces = {"x" * 5000: {"hwaddr": "m" * 5000, "addrs": addresses}}
    found = interface_addresses("agent", interfaces)
    assert len(found) == 256
    assert max(len(text) for text in found[0].values() if isinstance(text, str)) == 255


def test_an_interface_without_addresses_is_no_error() -> None:
    assert interface_addresses("agent", {"eth0": {"hwaddr": "x", "addrs": None}, "eth1": {}}) == []


def test_the_domains_own_interfaces_come_before_those_that_its_guest_made() -> None:
    interfaces = [{"mac": "52:54:00:00:00:01"}, {"mac": "52:54:00:00:00:02"}]
    agent = {
        "docker0": {"hwaddr": "02:42:00:00:00:01", "addrs": [{"addr": "172.17.0.1", "prefix": 16}]},
        "eth1": {"hwaddr": "52:54:00:00:00:02", "addrs": [{"addr": "10.0.1.1", "prefix": 24}]},
        "eth0": {"hwaddr": "52:54:00:00:00:01", "addrs": [{"addr": "10.0.0.1", "prefix": 24}]},
    }
    found = in_order_of(interfaces, interface_addresses("agent", agent))
    assert [address["address"] for address in found] == ["10.0.0.1", "10.0.1.1", "172.17.0.1"]


def test_our_agent_tells_addresses_as_libvirt_does() -> None:
    told = {
        "interfaces": [
            {"name": "lo", "mac": "00:00:00:00:00:00", "addresses": [{"address": "127.0.0.1", "prefix": 8}]},
            {"name": "eth0", "mac": "52:54:00:00:00:01", "addresses": [{"address": "10.0.0.1", "prefix": 24}]},
        ]
    }
    assert interface_addresses("agent", network_interfaces(told)) == [
        {
            "address": "10.0.0.1",
            "prefix": 24,
            "family": "ipv4",
            "mac": "52:54:00:00:00:01",
            "source": "agent",
            "interface": "eth0",
        }
    ]


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"interfaces": "eth0"},
        {"interfaces": [None, 7, "eth0", {}]},
        {"interfaces": [{"name": ["eth0"], "addresses": {"address": "10.0.0.1"}}]},
        {"interfaces": [{"name": "eth0", "addresses": [None, "10.0.0.1", {"address": ["10.0.0.1"]}]}]},
    ],
)
def test_an_answer_of_another_shape_tells_no_address(told: dict[str, Any]) -> None:
    assert interface_addresses("agent", network_interfaces(told)) == []


@pytest.mark.parametrize("prefix", [None, "24", -1, 10**19, True, [24]])
def test_a_prefix_that_is_none_is_not_known(prefix: Any) -> None:
    told = {"interfaces": [{"name": "eth0", "addresses": [{"address": "10.0.0.1", "prefix": prefix}]}]}
    (found,) = interface_addresses("agent", network_interfaces(told))
    assert found["prefix"] in (0, 1)
