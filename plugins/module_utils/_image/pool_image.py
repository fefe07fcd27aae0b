# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image as a volume of a storage pool: whole or not there.

libvirt cannot rename a volume, so an upload has to go to the final name. A second, empty volume beside it,
``NAME.TOKEN.uploading``, says that it is not complete. It is made before the volume and removed after the last
byte; an upload that a crash interrupted is recognised by it and done again. The token tells the uploads of
several machines apart: each removes only its own.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.image_file import inspect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.lookup import refresh, require_active_pool
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_create import (
    create_volume,
    create_with_content,
    delete_volume,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_definition import (
    VolumeSpec,
    describe_volume,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_users import (
    VolumeNames,
    disk_uses,
    overlays,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import parse

_MARKER = ".uploading"

# Pools whose volumes are files, which alone can be qcow2.
_FILES = ("dir", "fs", "netfs", "gluster", "vstorage")


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
        names = self._names(self._pool())
        return self.volume in names and not self._markers(names)

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
        names = self._names(pool)
        if self.volume in names and not self._markers(names):
            return
        marker = self._make_marker(pool)
        self._clear(pool, self._markers(names))
        try:
            with open(path, "rb") as file:
                create_with_content(self.hypervisor, pool, self.volume, file, image.file_size)
            self._require_own(pool, marker)
        except BaseException:
            self._give_up(pool, marker)
            raise
        delete_volume(self.hypervisor, marker)

    def remove(self) -> None:
        """Delete the volume, and what an interrupted upload left beside it."""
        pool = self._pool()
        names = self._names(pool)
        self._clear(pool, self._markers(names))

    def exists(self) -> bool:
        """Whether there is a volume or what an interrupted upload left beside it."""
        names = self._names(self._pool())
        return self.volume in names or bool(self._markers(names))

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

    def _names(self, pool: Any) -> list[str]:
        doing = f"list the volumes of the storage pool '{self.pool}'"
        return [str(name) for name in self.hypervisor.call(doing, pool.listVolumes)]

    def _find(self, pool: Any, name: str | None = None) -> Any:
        return self.hypervisor.find(f"look up {self}", pool.storageVolLookupByName, name or self.volume)

    def _markers(self, names: list[str]) -> list[str]:
        pattern = re.compile(re.escape(self.volume) + r"\.[0-9a-f]{8}" + re.escape(_MARKER))
        return [name for name in names if pattern.fullmatch(name)]

    def _make_marker(self, pool: Any) -> Any:
        name = f"{self.volume}.{uuid.uuid4().hex[:8]}{_MARKER}"
        return create_volume(self.hypervisor, pool, VolumeSpec(name, capacity=1, format="raw"))

    def _clear(self, pool: Any, markers: list[str]) -> None:
        """Delete the volume first: without its markers it would look complete."""
        for name in (self.volume, *markers):
            found = self._find(pool, name)
            if found is not None:
                delete_volume(self.hypervisor, found)

    def _require_own(self, pool: Any, marker: Any) -> None:
        if self._find(pool, marker.name()) is None:
            raise Failure(f"Another machine took over the upload of {self}. Run the task again when that has ended.")

    def _give_up(self, pool: Any, marker: Any) -> None:
        """Remove the marker of an upload that left no volume. If the daemon cannot say so, it stays and warns."""
        with contextlib.suppress(Failure):
            if self._find(pool) is None:
                delete_volume(self.hypervisor, marker)

    def _require_files(self, pool: Any) -> None:
        kind = parse(self.hypervisor.call(f"read the storage pool '{self.pool}'", pool.XMLDesc, 0)).get("type")
        if kind not in _FILES:
            raise Failure(
                f"The storage pool '{self.pool}' is of the type {kind}, whose volumes can only be raw, and the image "
                "is qcow2. Choose a pool of files such as a directory, or convert the image with qemu-img."
            )
