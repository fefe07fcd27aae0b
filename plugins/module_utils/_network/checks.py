# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot work in a network's configuration, found before libvirt is asked. Pure.

libvirt itself checks less: it takes two hosts with one address, or a host outside its network.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.addresses import (
    check_inside,
    networks_overlap,
    overlap,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.fields import VIRTUAL_MODES

_VIRTUAL_OPTIONS = ("mtu", "stp", "domain", "dns", "ips")


def check_options(options: dict[str, Any], mode: str) -> None:
    """Refuse options that the network's mode does not have.

    :param options: what the task names, of ``clean_options``.
    :param mode: the mode that the network will have.
    :raises Failure: with the option and the modes that have it.
    """
    if "nat" in options and mode != "nat":
        raise Failure(f"nat: this needs mode=nat, and the network's mode is {mode}.")
    if options.get("forward_dev") and mode not in ("nat", "routed"):
        raise Failure(f"forward_dev: this needs mode=nat or mode=routed, and the network's mode is {mode}.")
    if mode in VIRTUAL_MODES:
        return
    for name in _VIRTUAL_OPTIONS:
        if name in options:
            raise Failure(
                f"{name}: a network with mode={mode} leaves this to the bridge of the host. "
                "Leave the option out, or choose another mode."
            )


def check_config(config: dict[str, Any], options: dict[str, Any]) -> None:
    """Refuse a configuration that cannot work, as far as the task has a part in it.

    :param config: the whole target, of ``read_config``.
    :param options: what the task names.
    :raises Failure: with the reason.
    """
    mode = config["mode"]
    if mode == "bridge" and options.get("mode") == "bridge" and not config.get("bridge"):
        raise Failure("mode=bridge needs the option bridge: the name of a bridge that the host has.")
    if mode == "nat" and ("mode" in options or "ips" in options) and not config["ips"]:
        raise Failure("mode=nat needs at least one address in ips, such as 192.168.77.1/24.")
    if options.get("domain", {}).get("local_only") and not config["domain"].get("name"):
        raise Failure("domain.local_only needs the name of the domain, and the network has none. Give domain.name.")
    if "dns" in options:
        _check_dns(config["dns"])
    if "ips" in options:
        _check_ips(config["ips"])


def _check_dns(dns: dict[str, Any]) -> None:
    if dns["enable"]:
        return
    left = [name for name in ("forwarders", "hosts", "txt", "srv") if dns[name]]
    if left:
        words = ", ".join(f"dns_{name}" for name in left)
        raise Failure(
            f"dns: with enable=false libvirt takes no {' and no '.join(left)}. "
            f"Leave them out; empty lists, and {words} in purge, remove those that are there."
        )


def _check_ips(ips: list[dict[str, Any]]) -> None:
    for one, other in combinations(ips, 2):
        if networks_overlap(one["address"], other["address"]):
            raise Failure(
                f"ips: {one['address']} and {other['address']} are in the same network; a bridge has one address in it."
            )
    for ip in ips:
        _check_dhcp(ip["dhcp"], ip["address"])


def _check_dhcp(dhcp: dict[str, Any], address: str) -> None:
    path = f"ips[{address}].dhcp"
    for entry in dhcp["ranges"]:
        for end in ("start", "end"):
            check_inside(entry[end], address, f"{path}.ranges")
    for one, other in combinations(dhcp["ranges"], 2):
        if overlap((one["start"], one["end"]), (other["start"], other["end"])):
            raise Failure(
                f"{path}.ranges: {one['start']} - {one['end']} and {other['start']} - {other['end']} overlap. "
                "Choose others; dhcp_ranges in purge removes ranges that the task does not list."
            )
    for host in dhcp["hosts"]:
        check_inside(host["ip"], address, f"{path}.hosts")
    _check_unique(dhcp["hosts"], f"{path}.hosts")
    if "bootp" in dhcp and not (dhcp["ranges"] or dhcp["hosts"]):
        raise Failure(f"{path}.bootp: libvirt serves boot files only together with DHCP ranges or hosts.")


def _check_unique(hosts: list[dict[str, Any]], path: str) -> None:
    for one, other in combinations(hosts, 2):
        for name in _same(one, other):
            raise Failure(
                f"{path}: two hosts have the {name} {one[name]}. "
                "Give each its own; dhcp_hosts in purge removes hosts that the task does not list."
            )


def _same(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    return (name for name in ("mac", "id", "ip", "name") if one.get(name) and one.get(name) == other.get(name))
