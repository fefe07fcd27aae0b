# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image as a volume of a storage pool: complete or not there.

libvirt cannot rename a volume, so an upload has to go to the final name. While it lasts, a mark stands beside the
volume; see `upload_mark`. An upload that a crash interrupted is recognised by it and done again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.image_file import inspect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.blocks import opened
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.lookup import (
    find_in_pool,
    holds_files,
    refresh,
    require_active_pool,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.upload_mark import (
    marks,
    require_no_other_upload,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_create import (
    create_with_content,
    delete_if_there,
    delete_marks,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_definition import describe_volume
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_users import (
    VolumeNames,
    disk_uses,
    overlays,
)


@dataclass(frozen=True)
class PoolImage:
    """One image in one pool.

    :ivar pool: the name of the pool.
    :ivar volume: the name of the volume.
    """

    hypervisor: Hypervisor
    pool: str
    volume: str

    def is_complete(self) -> bool:
        """Whether the volume is there with all its content.

        :raises Failure: when the pool does not exist or is stopped.
        """
        pool = self._pool()
        return self._is_whole(pool, find_in_pool(self.hypervisor, pool, self.volume))

    def describe(self) -> dict[str, Any] | None:
        """The volume as `describe_volume` has it; None where there is none."""
        found = self._find(self._pool())
        if found is None:
            return None
        return describe_volume(self.hypervisor.call(f"read {self}", found.XMLDesc, 0), self.pool)

    def write(self, path: str, image_format: str | None) -> None:
        """Upload a file, unless somebody has done so meanwhile.

        :param image_format: the format that the image must have; None takes what it is.
        :raises Failure: with nothing left behind that looks like the image.
        """
        pool = self._pool()
        image = inspect(path, image_format)
        if image.format == "qcow2":
            self._require_files(pool)
        refresh(self.hypervisor, pool)
        if self._is_whole(pool, self._find(pool)):
            return
        require_no_other_upload(self.hypervisor, pool, self.volume)
        delete_if_there(self.hypervisor, self.pool, self.volume)
        with opened(path) as file:
            create_with_content(self.hypervisor, pool, self.volume, file, image.file_size)

    def remove(self) -> None:
        """Delete the volume, and what an interrupted upload left beside it."""
        # The volume first: without its mark it would look complete.
        delete_if_there(self.hypervisor, self.pool, self.volume)
        delete_marks(self.hypervisor, self._pool(), self.volume)

    def exists(self) -> bool:
        """Whether there is a volume, or what an interrupted upload left beside it."""
        pool = self._pool()
        found = find_in_pool(self.hypervisor, pool, self.volume)
        return found is not None or bool(marks(self.hypervisor, pool, self.volume))

    def require_unused(self) -> None:
        """:raises Failure: when a volume is laid over this one, or a domain has it as a disk."""
        found = self.describe()
        if found is None:
            return
        names = VolumeNames(self.pool, self.volume, found["path"])
        users = [str(use) for use in disk_uses(self.hypervisor, names)]
        users += [f"the volume {path}, which is laid over it" for path in overlays(self.hypervisor, names)]
        if users:
            raise Failure(f"Cannot delete {self}: it is needed by {'; '.join(users)}. Remove that first.")

    def __str__(self) -> str:
        return f"the volume '{self.volume}' of the storage pool '{self.pool}'"

    def _pool(self) -> Any:
        return require_active_pool(self.hypervisor, self.pool)

    def _is_whole(self, pool: Any, found: Any) -> bool:
        return found is not None and not marks(self.hypervisor, pool, self.volume)

    def _find(self, pool: Any) -> Any:
        """The volume, if libvirt knows it; whether it is there was asked before."""
        return self.hypervisor.find(f"look up {self}", pool.storageVolLookupByName, self.volume)

    def _require_files(self, pool: Any) -> None:
        if not holds_files(self.hypervisor, pool):
            raise Failure(
                f"The volumes of the storage pool '{self.pool}' are devices, which can only be raw, and the image is "
                "qcow2. Choose a pool of files such as a directory, or convert the image with qemu-img."
            )
