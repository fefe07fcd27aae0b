# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listing storage volumes: what the module volume_info does."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._parallel import each
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.lookup import require_active_pool
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_definition import describe_volume

# An image can be made to claim a chain without end.
_LONGEST_CHAIN = 64


def collect(params: dict[str, Any], hypervisor: Hypervisor) -> dict[str, Any]:
    """The volumes of one pool or of all started pools whose names match; sorted by pool and name."""
    pools = _pools(hypervisor, params["pool"])
    listed = each(lambda pool: _volumes(hypervisor, pool), pools)
    wanted = [
        (pool.name(), volume)
        for pool, volumes in zip(pools, listed)
        for volume in volumes
        if fnmatchcase(volume.name(), params["name"])
    ]
    described = each(lambda item: _describe(hypervisor, *item), wanted)
    found = [volume for volume in described if volume is not None]
    _add_chains(hypervisor, found)
    return {"volumes": sorted(found, key=lambda volume: (volume["pool"], volume["name"]))}


def _pools(hypervisor: Hypervisor, name: str | None) -> list[Any]:
    if name is not None:
        return [require_active_pool(hypervisor, name)]
    flags = libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE
    return list(hypervisor.call("list the storage pools", hypervisor.connection.listAllStoragePools, flags))


def _volumes(hypervisor: Hypervisor, pool: Any) -> list[Any]:
    doing = f"list the volumes of the storage pool '{pool.name()}'"
    return list(hypervisor.call(doing, pool.listAllVolumes, 0))


def _describe(hypervisor: Hypervisor, pool: str, volume: Any) -> dict[str, Any] | None:
    """The volume as plain data; None when it is gone by now."""
    xml = hypervisor.find(f"read the volume '{volume.name()}'", volume.XMLDesc, 0)
    return None if xml is None else describe_volume(xml, pool)


def _add_chains(hypervisor: Hypervisor, volumes: list[dict[str, Any]]) -> None:
    """Add to each volume the paths of all that it is laid over, nearest first."""
    below = {volume["path"]: _path_below(volume) for volume in volumes}
    for volume in volumes:
        chain: list[str] = []
        path = below[volume["path"]]
        while path is not None and path not in chain and len(chain) < _LONGEST_CHAIN:
            chain.append(path)
            if path not in below:
                below[path] = _look_below(hypervisor, path)
            path = below[path]
        volume["backing_chain"] = chain


def _look_below(hypervisor: Hypervisor, path: str) -> str | None:
    """What a volume of any pool is laid over; None also for a file that is in no pool."""
    doing = f"look up the volume {path}"
    volume = hypervisor.find(doing, hypervisor.connection.storageVolLookupByPath, path)
    found = None if volume is None else _describe(hypervisor, "", volume)
    return None if found is None else _path_below(found)


def _path_below(volume: dict[str, Any]) -> str | None:
    return None if volume["backing"] is None else str(volume["backing"]["path"])
