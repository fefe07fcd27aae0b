# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``network-config``: the shape of versions 1 and 2, checked before a guest boots without network.

Version 2: https://cloudinit.readthedocs.io/en/latest/reference/network-config-format-v2.html
Version 1: https://cloudinit.readthedocs.io/en/latest/reference/network-config-format-v1.html
"""

from __future__ import annotations

import ipaddress
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.meta_data import place
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.yaml_text import Parsed
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

# Sections of version 2 that hold devices by their names; netplan's, which cloud-init hands on.
_DEVICES = (
    "ethernets", "bonds", "bridges", "vlans", "wifis", "vrfs", "tunnels", "modems", "dummy-devices",
    "virtual-ethernets", "nm-devices",
)  # fmt: skip
_OTHER_KEYS = ("version", "renderer", "openvswitch")
_V1_TYPES = ("physical", "bond", "bridge", "vlan", "nameserver", "route", "loopback")
_SWITCHES = ("dhcp4", "dhcp6", "accept-ra", "optional", "wakeonlan", "critical")


class _Shape:
    """The checks of one option, each of which names the place that is wrong."""

    def __init__(self, parsed: Parsed, option: str) -> None:
        self._parsed = parsed
        self._option = option

    def refuse(self, path: tuple[Any, ...], message: str) -> Failure:
        return Failure(f"{place(self._parsed, path, self._option)}: {message}")

    def mapping(self, value: Any, path: tuple[Any, ...], what: str) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise self.refuse(path, f"{what} must be a mapping.")
        return value

    def items(self, value: Any, path: tuple[Any, ...], what: str) -> list[Any]:
        if not isinstance(value, list):
            raise self.refuse(path, f"{what} must be a list.")
        return value

    def address(self, value: Any, path: tuple[Any, ...]) -> None:
        if not _is_address(value):
            raise self.refuse(path, f"'{value}' is not an IP address.")

    def mac_address(self, value: Any, path: tuple[Any, ...]) -> None:
        if not isinstance(value, str):
            raise self.refuse(path, f"'{value}' is not a MAC address: put it in quotes, YAML reads it as a number.")

    def interface_address(self, value: Any, path: tuple[Any, ...]) -> None:
        if isinstance(value, dict) and len(value) == 1:  # an address with options such as its label
            value = next(iter(value))
        if not isinstance(value, str) or "/" not in value or not _is_network(value):
            raise self.refuse(path, f"'{value}' is not an address with its prefix, such as 192.0.2.10/24.")


def check(parsed: Parsed, option: str) -> int:
    """The version of a network configuration whose shape is right.

    :raises Failure: for the first place that is wrong.
    """
    shape = _Shape(parsed, option)
    data = shape.mapping(parsed.data, (), "a network configuration")
    root: tuple[Any, ...] = ()
    if "network" in data:  # cloud-init takes it with and without this outer key
        root = ("network",)
        data = shape.mapping(data["network"], root, "network")
    version = data.get("version")
    if version == 2:
        _check_v2(shape, data, root)
    elif version == 1:
        _check_v1(shape, data, root)
    else:
        raise shape.refuse((*root, "version"), "must be 2 (or 1), as a number.")
    return int(version)


def _check_v2(shape: _Shape, data: dict[Any, Any], root: tuple[Any, ...]) -> None:
    for key, value in data.items():
        if key in _OTHER_KEYS:
            continue
        if key not in _DEVICES:
            raise shape.refuse((*root, key), f"version 2 has no such key; there is {', '.join(_DEVICES)}.")
        devices = shape.mapping(value, (*root, key), key)
        for name, device in devices.items():
            path = (*root, key, name)
            _check_device(shape, shape.mapping(device, path, f"the device '{name}'"), path)


def _check_device(shape: _Shape, device: dict[Any, Any], path: tuple[Any, ...]) -> None:
    for key in _SWITCHES:
        if key in device and not isinstance(device[key], bool):
            raise shape.refuse((*path, key), "must be true or false.")
    for position, address in enumerate(shape.items(device.get("addresses", []), (*path, "addresses"), "addresses")):
        shape.interface_address(address, (*path, "addresses", position))
    for key in ("gateway4", "gateway6"):
        if key in device:
            shape.address(device[key], (*path, key))
    _check_nameservers(shape, device.get("nameservers", {}), (*path, "nameservers"))
    _check_routes(shape, device.get("routes", []), (*path, "routes"))
    if "mtu" in device and (isinstance(device["mtu"], bool) or not isinstance(device["mtu"], int)):
        raise shape.refuse((*path, "mtu"), "must be a number of bytes.")
    match = shape.mapping(device.get("match", {}), (*path, "match"), "match")
    for around, here in ((device, path), (match, (*path, "match"))):
        if "macaddress" in around:
            shape.mac_address(around["macaddress"], (*here, "macaddress"))


def _check_nameservers(shape: _Shape, value: Any, path: tuple[Any, ...]) -> None:
    servers = shape.mapping(value, path, "nameservers")
    for position, address in enumerate(shape.items(servers.get("addresses", []), (*path, "addresses"), "addresses")):
        shape.address(address, (*path, "addresses", position))
    shape.items(servers.get("search", []), (*path, "search"), "search")


def _check_routes(shape: _Shape, value: Any, path: tuple[Any, ...]) -> None:
    for position, item in enumerate(shape.items(value, path, "routes")):
        here = (*path, position)
        route = shape.mapping(item, here, "a route")
        destination = route.get("to")
        if destination != "default" and not (isinstance(destination, str) and _is_network(destination)):
            raise shape.refuse((*here, "to"), "must be 'default' or a network such as 198.51.100.0/24.")
        if "via" in route:
            shape.address(route["via"], (*here, "via"))


def _check_v1(shape: _Shape, data: dict[Any, Any], root: tuple[Any, ...]) -> None:
    path = (*root, "config")
    if data.get("config") == "disabled":
        return
    for position, item in enumerate(shape.items(data.get("config"), path, "config")):
        entry = shape.mapping(item, (*path, position), "an entry")
        if entry.get("type") not in _V1_TYPES:
            raise shape.refuse((*path, position, "type"), f"must be one of {', '.join(_V1_TYPES)}.")
        if "mac_address" in entry:
            shape.mac_address(entry["mac_address"], (*path, position, "mac_address"))


def _is_address(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def _is_network(value: str) -> bool:
    try:
        return bool(ipaddress.ip_interface(value))
    except ValueError:
        return False
