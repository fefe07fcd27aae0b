# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls that change a storage pool. Nothing else of this collection changes one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.lookup import refresh
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, dump


@dataclass
class PoolHandle:
    """The storage pool that a task is about; its actions share it.

    :ivar pool: the ``libvirt.virStoragePool``; None until the pool is defined.
    """

    name: str
    pool: Any = None

    def define(self, hypervisor: Hypervisor, definition: Element, validate: bool) -> None:
        """Create the pool or store its changed definition.

        :param validate: whether libvirt refuses what its schema does not know, instead of dropping it.
        """
        flags = libvirt.VIR_STORAGE_POOL_DEFINE_VALIDATE if validate else 0
        define = hypervisor.connection.storagePoolDefineXML
        self.pool = hypervisor.call(f"define the storage pool '{self.name}'", define, dump(definition), flags)

    def start(self, hypervisor: Hypervisor, build: bool) -> None:
        """Make the volumes of the pool usable, after creating its directory if ``build`` says so."""
        flags = libvirt.VIR_STORAGE_POOL_CREATE_WITH_BUILD if build else libvirt.VIR_STORAGE_POOL_CREATE_NORMAL
        hypervisor.call(f"start the storage pool '{self.name}'", self.pool.create, flags)

    def stop(self, hypervisor: Hypervisor) -> None:
        """Let libvirt forget the volumes of the pool. It deletes nothing, although libvirt calls it destroy."""
        hypervisor.call(f"stop the storage pool '{self.name}'", self.pool.destroy)

    def set_autostart(self, hypervisor: Hypervisor, wanted: bool) -> None:
        """Say whether the pool starts with the daemon."""
        hypervisor.call(f"set the autostart of the storage pool '{self.name}'", self.pool.setAutostart, int(wanted))

    def require_empty(self, hypervisor: Hypervisor) -> None:
        """Look again, now at what is really there: libvirt knows only what it saw last."""
        refresh(hypervisor, self.pool)
        require_empty(hypervisor, self.pool)

    def delete_storage(self, hypervisor: Hypervisor) -> None:
        """Delete what the pool is made of: of a directory pool the directory, which libvirt demands to be empty."""
        hypervisor.call(f"delete the storage of the pool '{self.name}'", self.pool.delete, 0)

    def undefine(self, hypervisor: Hypervisor) -> None:
        """Remove the definition of the pool."""
        hypervisor.call(f"undefine the storage pool '{self.name}'", self.pool.undefine)


def require_empty(hypervisor: Hypervisor, pool: Any) -> None:
    """Raise `Failure` for a pool in which libvirt knows volumes."""
    name = pool.name()
    volumes = hypervisor.call(f"list the volumes of the storage pool '{name}'", pool.listVolumes)
    if volumes:
        raise Failure(
            f"The storage pool '{name}' still holds {len(volumes)} volume(s), such as '{min(volumes)}', and "
            "delete_storage only deletes an empty pool. Delete its volumes first, or leave out delete_storage."
        )
