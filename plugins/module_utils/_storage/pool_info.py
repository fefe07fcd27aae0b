# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listing storage pools: what the module pool_info does."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._parallel import each
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.lookup import find_pool
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.pool_state import describe, read_pool


def collect(params: dict[str, Any], hypervisor: Hypervisor) -> dict[str, Any]:
    """The pools of a hypervisor, or the one that is named; sorted by name."""

    def information(pool: Any) -> dict[str, Any]:
        state = read_pool(hypervisor, pool)
        if not params["volumes"]:
            return describe(state)
        return {**describe(state), "volumes": _volume_names(hypervisor, pool) if state.active else []}

    pools = each(information, _selected(params["name"], hypervisor))
    return {"pools": sorted(pools, key=lambda pool: str(pool["name"]))}


def _selected(name: str | None, hypervisor: Hypervisor) -> list[Any]:
    if name is None:
        return list(hypervisor.call("list the storage pools", hypervisor.connection.listAllStoragePools, 0))
    pool = find_pool(hypervisor, name)
    return [] if pool is None else [pool]


def _volume_names(hypervisor: Hypervisor, pool: Any) -> list[str]:
    return sorted(hypervisor.call(f"list the volumes of the storage pool '{pool.name()}'", pool.listVolumes))
