# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding pools and volumes by name."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure, missing
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import parse

# What libvirt says of a pool whose list of volumes it will not rebuild now; it has no code of its own.
_BUSY = "has asynchronous jobs running"


# https://libvirt.org/storage.html
_FILE_POOLS = ("dir", "fs", "netfs", "gluster", "vstorage")


def find_pool(hypervisor: Hypervisor, name: str) -> Any:
    """The ``libvirt.virStoragePool`` of this name; None where there is none."""
    look_up = hypervisor.connection.storagePoolLookupByName
    return hypervisor.find(f"look up the storage pool '{name}'", look_up, name)


def require_pool(hypervisor: Hypervisor, name: str) -> Any:
    """As `find_pool`, but its absence is a `Failure` that names what is near."""
    pool = find_pool(hypervisor, name)
    if pool is None:
        pools = hypervisor.call("list the storage pools", hypervisor.connection.listAllStoragePools, 0)
        raise missing("storage pool", name, hypervisor.uri, (found.name() for found in pools))
    return pool


def require_active_pool(hypervisor: Hypervisor, name: str) -> Any:
    """As `require_pool`, but a pool that is not started, whose volumes libvirt does not know, is a `Failure`."""
    pool = require_pool(hypervisor, name)
    require_active(hypervisor, pool)
    return pool


def require_active(hypervisor: Hypervisor, pool: Any) -> None:
    """Raise `Failure` for a pool that is not started."""
    name = pool.name()
    if not hypervisor.call(f"read the storage pool '{name}'", pool.isActive):
        raise Failure(
            f"The storage pool '{name}' on {hypervisor.uri} is stopped, so its volumes cannot be used. "
            "Start it first, with the module pool and state=started."
        )


def find_volume(hypervisor: Hypervisor, pool_name: str, name: str) -> Any:
    """The ``libvirt.virStorageVol`` of this name in a pool; None where there is none.

    libvirt does not see a file that something else put into a pool's directory until the pool is refreshed, which
    happens here when the volume is not known. A read-only connection (check mode) may not refresh and goes by what
    libvirt knows.

    :raises Failure: when the pool does not exist or is stopped.
    """
    return find_in_pool(hypervisor, require_active_pool(hypervisor, pool_name), name)


def find_in_pool(hypervisor: Hypervisor, pool: Any, name: str) -> Any:
    """As `find_volume`, in a started ``libvirt.virStoragePool`` that is already at hand."""
    doing = f"look up the volume '{name}' of the storage pool '{pool.name()}'"
    volume = hypervisor.find(doing, pool.storageVolLookupByName, name)
    if volume is None and not hypervisor.read_only and try_refresh(hypervisor, pool):
        volume = hypervisor.find(doing, pool.storageVolLookupByName, name)
    return volume


def require_volume(hypervisor: Hypervisor, pool_name: str, name: str) -> Any:
    """As `find_volume`, but its absence is a `Failure` that names what is near."""
    pool = require_active_pool(hypervisor, pool_name)
    volume = find_in_pool(hypervisor, pool, name)
    if volume is None:
        known = hypervisor.call(f"list the volumes of the storage pool '{pool_name}'", pool.listVolumes)
        raise missing("volume", name, f"the storage pool '{pool_name}' of {hypervisor.uri}", known)
    return volume


def try_refresh(hypervisor: Hypervisor, pool: Any) -> bool:
    """Let libvirt look at what a pool holds now; False when it does not while it creates or copies a volume."""
    try:
        # It reads the header of each volume.
        hypervisor.call(f"refresh the storage pool '{pool.name()}'", pool.refresh, 0, limited=False)
    except Failure as failure:
        if _BUSY in str(failure.__cause__):
            return False
        raise
    return True


def holds_files(hypervisor: Hypervisor, pool: Any) -> bool:
    """Whether the volumes of a pool are files, which grow and can have any format, rather than devices."""
    kind = parse(hypervisor.call(f"read the storage pool '{pool.name()}'", pool.XMLDesc, 0)).get("type")
    return kind in _FILE_POOLS


def refresh(hypervisor: Hypervisor, pool: Any) -> None:
    """As `try_refresh`, but waits while the pool is busy, for as long as a call may take.

    libvirt has no event for the end of such work, so this asks again, at intervals that double.
    """
    deadline = Deadline(hypervisor.options.call_timeout)
    pause = 0.05
    while not try_refresh(hypervisor, pool):
        if deadline.passed:
            raise Failure(
                f"Cannot refresh the storage pool '{pool.name()}': libvirt was busy creating or copying its volumes "
                f"for {deadline.seconds:g} seconds (call_timeout). Run the task again when that has ended."
            )
        time.sleep(min(pause, deadline.remaining or 0))
        pause *= 2
