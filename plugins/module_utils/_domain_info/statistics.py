# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flat answer of virConnectGetAllDomainStats as a tree. Pure.

https://libvirt.org/html/libvirt-libvirt-domain.html#virConnectGetAllDomainStats lists the names.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt

GROUPS = ("cpu", "balloon", "vcpu", "interface", "block")
# libvirt's word before the number of an item → the list that the item is in.
_LISTS = {"vcpu": "vcpus", "net": "interfaces", "block": "disks"}
# libvirt counts these in KiB.
_KIBIBYTES = frozenset(
    {"current", "maximum", "swap_in", "swap_out", "unused", "available", "usable", "rss", "disk_caches"}
)


def group_flags(groups: list[str]) -> int:
    """The VIR_DOMAIN_STATS_* flags of these groups."""
    flags = {
        "cpu": libvirt.VIR_DOMAIN_STATS_CPU_TOTAL,
        "balloon": libvirt.VIR_DOMAIN_STATS_BALLOON,
        "vcpu": libvirt.VIR_DOMAIN_STATS_VCPU,
        "interface": libvirt.VIR_DOMAIN_STATS_INTERFACE,
        "block": libvirt.VIR_DOMAIN_STATS_BLOCK,
    }
    return sum(flags[group] for group in groups)


def statistics_tree(flat: dict[str, Any]) -> dict[str, Any]:
    """``{"cpu.time": 1, "net.0.rx.bytes": 2}`` as ``{"cpu": {"time": 1}, "interfaces": [{"rx_bytes": 2}]}``.

    Memory is in bytes, times are in nanoseconds. An item of ``vcpus`` has its ``number``: there may be gaps.
    """
    tree: dict[str, Any] = {}
    items: dict[tuple[str, int], dict[str, Any]] = {}
    for name, value in flat.items():
        group, _dot, rest = name.partition(".")
        number, _dot, key = rest.partition(".")
        if group in _LISTS and number.isdigit():
            items.setdefault((group, int(number)), {})[_key(key)] = value
        elif group != "state" and rest != "count":
            tree.setdefault(group, {})[_key(rest)] = _in_bytes(group, rest, value)
    for (group, position), item in sorted(items.items(), key=lambda entry: entry[0]):
        entry = {"number": position, **item} if group == "vcpu" else item
        tree.setdefault(_LISTS[group], []).append(entry)
    return tree


def _key(name: str) -> str:
    return name.replace(".", "_").replace("-", "_")


def _in_bytes(group: str, name: str, value: Any) -> Any:
    return value * 1024 if group == "balloon" and name in _KIBIBYTES else value
