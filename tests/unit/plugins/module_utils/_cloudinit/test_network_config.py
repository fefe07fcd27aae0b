# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import network_config
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.yaml_text import (
    Parsed,
    parse,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

OPTION = "network_config"


def v2(device: dict[str, Any]) -> dict[str, Any]:
    return {"version": 2, "ethernets": {"nic": device}}


def refused(data: Any) -> str:
    with pytest.raises(Failure) as failure:
        network_config.check(Parsed(data, None), OPTION)
    return failure.value.message


@pytest.mark.parametrize(
    "data",
    [
        v2({"dhcp4": True, "match": {"macaddress": "52:54:00:00:00:01"}, "set-name": "lan0"}),
        v2({"addresses": ["192.0.2.10/24", {"2001:db8::1/64": {"label": "a"}}], "mtu": 9000}),
        v2(
            {
                "gateway4": "192.0.2.1",
                "nameservers": {"addresses": ["2001:db8::53"], "search": ["lan"]},
            }
        ),
        v2(
            {
                "routes": [
                    {"to": "default", "via": "192.0.2.1"},
                    {"to": "198.51.100.0/24", "via": "192.0.2.2"},
                ]
            }
        ),
        {"version": 2, "renderer": "networkd", "bonds": {"bond0": {"interfaces": ["a", "b"]}}},
        {"network": v2({"dhcp6": False})},
    ],
)
def test_version_2_passes(data: dict[str, Any]) -> None:
    assert network_config.check(Parsed(data, None), OPTION) == 2


@pytest.mark.parametrize(
    "data",
    [
        {
            "version": 1,
            "config": [{"type": "physical", "name": "eth0", "subnets": [{"type": "dhcp"}]}],
        },
        {"version": 1, "config": "disabled"},
    ],
)
def test_version_1_passes(data: dict[str, Any]) -> None:
    assert network_config.check(Parsed(data, None), OPTION) == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "network_config: a network configuration must be a mapping."),
        ([1], "network_config: a network configuration must be a mapping."),
        ({}, "network_config.version: must be 2 (or 1), as a number."),
        ({"version": "2"}, "network_config.version: must be 2 (or 1), as a number."),
        (
            {"version": 2, "ethernet": {}},
            "network_config.ethernet: version 2 has no such key; there is ethernets",
        ),
        (
            {"version": 2, "ethernets": ["nic"]},
            "network_config.ethernets: ethernets must be a mapping.",
        ),
        (
            {"version": 2, "ethernets": {"nic": None}},
            "network_config.ethernets.nic: the device 'nic' must be a map",
        ),
        (v2({"dhcp4": "yes"}), "network_config.ethernets.nic.dhcp4: must be true or false."),
        (
            v2({"addresses": "192.0.2.1/24"}),
            "network_config.ethernets.nic.addresses: addresses must be a list.",
        ),
        (
            v2({"addresses": ["192.0.2.1"]}),
            "nic.addresses.0: '192.0.2.1' is not an address with its prefix",
        ),
        (
            v2({"addresses": ["192.0.2.300/24"]}),
            "nic.addresses.0: '192.0.2.300/24' is not an address with its",
        ),
        (v2({"gateway4": "192.0.2.1/24"}), "nic.gateway4: '192.0.2.1/24' is not an IP address."),
        (
            v2({"nameservers": {"addresses": [53]}}),
            "nic.nameservers.addresses.0: '53' is not an IP address.",
        ),
        (v2({"nameservers": ["192.0.2.1"]}), "nic.nameservers: nameservers must be a mapping."),
        (v2({"routes": [{"to": "nowhere"}]}), "nic.routes.0.to: must be 'default' or a network"),
        (
            v2({"routes": [{"to": "default", "via": "gw"}]}),
            "nic.routes.0.via: 'gw' is not an IP address.",
        ),
        (v2({"mtu": True}), "nic.mtu: must be a number of bytes."),
        (v2({"match": "nic*"}), "nic.match: match must be a mapping."),
        (
            v2({"match": {"macaddress": 41135055296}}),
            "nic.match.macaddress: '41135055296' is not a MAC address: put it in",
        ),
        (v2({"macaddress": 41135055296}), "nic.macaddress: '41135055296' is not a MAC address: put it in quotes"),
        (
            {"version": 1, "config": [{"type": "physical", "mac_address": 1}]},
            "network_config.config.0.mac_address: '1' is not a MAC address: put it in quotes",
        ),
        ({"version": 1}, "network_config.config: config must be a list."),
        (
            {"version": 1, "config": [{"type": "eth"}]},
            "network_config.config.0.type: must be one of physical",
        ),
    ],
)
def test_wrong_shapes_name_their_place(data: Any, message: str) -> None:
    assert message in refused(data)


def test_a_text_has_the_line_too() -> None:
    text = "version: 2\nethernets:\n  nic:\n    addresses:\n      - 192.0.2.1/24\n      - 192.0.2.2\n"
    with pytest.raises(Failure) as failure:
        network_config.check(parse(text, OPTION), OPTION)
    assert failure.value.message.startswith("network_config.ethernets.nic.addresses.1 (line 6): ")
