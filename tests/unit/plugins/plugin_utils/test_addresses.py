# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which address Ansible is to use."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._addresses import AddressPolicy

BOTH = ["ipv4", "ipv6"]


def address(text: str, source: str = "lease", mac: str = "52:54:00:00:00:01", **names: str) -> dict[str, Any]:
    family = "ipv6" if ":" in text else "ipv4"
    return {"address": text, "prefix": 24, "family": family, "mac": mac, "source": source, **names}


def facts(*addresses: dict[str, Any]) -> dict[str, Any]:
    interfaces = [
        {"mac": "52:54:00:00:00:01", "type": "network", "source": "default", "target": ""},
        {"mac": "52:54:00:00:00:02", "type": "bridge", "source": "br0", "target": ""},
    ]
    return {"addresses": list(addresses), "interfaces": interfaces}


def test_a_domain_without_addresses_has_none() -> None:
    assert AddressPolicy(BOTH, []).choose(facts()) is None


def test_the_preferred_family_wins() -> None:
    both = facts(address("fd00::1"), address("10.0.0.1"))
    assert AddressPolicy(["ipv4", "ipv6"], []).choose(both) == "10.0.0.1"
    assert AddressPolicy(["ipv6", "ipv4"], []).choose(both) == "fd00::1"
    assert AddressPolicy(["ipv6"], []).choose(facts(address("10.0.0.1"))) is None


def test_the_source_that_was_asked_first_wins_over_the_family() -> None:
    found = facts(address("fd00::1", "lease"), address("10.0.0.1", "agent"))
    assert AddressPolicy(BOTH, []).choose(found) == "fd00::1"


def test_an_interface_that_only_the_guest_has_comes_last() -> None:
    docker = address("172.17.0.1", "agent", mac="02:42:00:00:00:01")
    assert AddressPolicy(BOTH, []).choose(facts(docker, address("2001:db8::5", "agent"))) == "2001:db8::5"
    assert AddressPolicy(BOTH, []).choose(facts(docker, address("10.0.0.1", "arp"))) == "10.0.0.1"
    networks = ["172.16.0.0/12", "2001:db8::/32"]
    assert AddressPolicy(BOTH, networks).choose(facts(docker, address("2001:db8::5", "agent"))) == "2001:db8::5"
    assert AddressPolicy(BOTH, []).choose(facts(docker)) == "172.17.0.1"  # its own bridge, or a card of the host


def test_a_cidr_leaves_others_out_and_the_first_one_is_preferred() -> None:
    found = facts(address("10.0.0.1"), address("192.0.2.9"), address("198.51.100.1"))
    assert AddressPolicy(BOTH, ["198.51.100.0/24", "192.0.2.0/24"]).choose(found) == "198.51.100.1"
    assert AddressPolicy(BOTH, ["203.0.113.0/24"]).choose(found) is None


def test_a_network_is_known_by_its_lease_or_by_the_interface() -> None:
    assert AddressPolicy(BOTH, ["lan"]).choose(facts(address("10.0.0.1", network="lan"))) == "10.0.0.1"
    assert AddressPolicy(BOTH, ["default"]).choose(facts(address("10.0.0.1", "agent"))) == "10.0.0.1"
    bridged = address("10.0.0.1", "agent", mac="52:54:00:00:00:02")
    assert AddressPolicy(BOTH, ["br0"]).choose(facts(bridged)) is None


def test_what_is_no_cidr_is_said_in_a_sentence() -> None:
    with pytest.raises(Failure, match=r"'10.0.0.0/99' is not a network"):
        AddressPolicy(BOTH, ["10.0.0.0/99"])


def test_a_missing_netaddr_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "netaddr", None)
    with pytest.raises(Failure, match="needs the Python library netaddr"):
        AddressPolicy(BOTH, ["10.0.0.0/8"])
    AddressPolicy(BOTH, ["default"])
