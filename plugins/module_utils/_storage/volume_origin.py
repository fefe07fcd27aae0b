# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a new volume is made from: nothing, a backing volume, a copy of another volume, or a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import checksum as checksums
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.image_file import inspect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.blocks import opened
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.lookup import (
    holds_files,
    require_active_pool,
    require_volume,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.upload_mark import marks
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_content import verify_file
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_create import (
    clone_volume,
    create_volume,
    create_with_content,
    require_space,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_definition import (
    Backing,
    VolumeSpec,
    describe_volume,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_resize import is_size, require_some
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._units import Size, parse_size

# The formats that QEMU and libvirt call by the same name.
_IMAGES = ("raw", "qcow2", "qed", "vmdk", "vdi", "vpc", "vhdx")


@dataclass(frozen=True)
class Origin:
    """How to make a volume.

    :ivar summary: in the imperative, for the plan.
    :ivar format: what the volume will be.
    :ivar capacity: what it will have once it is made.
    :ivar wanted: what it shall have in the end.
    :ivar create: from the hypervisor and the ``libvirt.virStoragePool`` to the ``libvirt.virStorageVol``.
    :ivar check: fails where creating would, before a volume that is in the way is deleted; given the hypervisor, the
        pool, and how many bytes that deletion frees.
    """

    summary: str
    format: str
    capacity: int | None
    wanted: int | None
    create: Callable[[Hypervisor, Any], Any]
    backing: Backing | None = None
    check: Callable[[Hypervisor, Any, int], None] = lambda _hypervisor, _pool, _freed: None


def origin(hypervisor: Hypervisor, pool: Any, params: dict[str, Any]) -> Origin:
    """The origin that the options ask for.

    :param pool: the ``libvirt.virStoragePool`` that the volume will be in.
    :raises Failure: for options that make no volume, a missing origin, or one that is larger than the volume.
    """
    capacity = _capacity(params)
    if params["src"] is not None:
        found = _from_file(params, capacity)
    elif params["clone_from"] is not None:
        found = _from_volume(hypervisor, params, capacity, _require_files(hypervisor, pool, params))
    else:
        backing = _new_backing(hypervisor, params, capacity)
        found = _empty(params, capacity, backing, _require_files(hypervisor, pool, params))
    _require_room(params["name"], found.wanted, found.capacity)
    return found


def _capacity(params: dict[str, Any]) -> int | None:
    if params["capacity"] is None:
        return None
    capacity = parse_size(params["capacity"], "capacity")
    require_some(capacity)
    return capacity


def _require_room(name: str, wanted: int | None, needed: int | None) -> None:
    """Refuse a capacity that cuts off a part of what the volume is made from."""
    if wanted is None or needed is None or wanted >= needed or is_size(needed, wanted):
        return
    raise Failure(
        f"The volume '{name}' cannot have the capacity {Size(wanted)}: what it is made from has {Size(needed)}. "
        "Give at least that, or leave out capacity."
    )


def find_backing(hypervisor: Hypervisor, wanted: dict[str, Any] | None) -> Backing | None:
    """The backing file that the option ``backing`` names, with its format.

    :raises Failure: for a volume that does not exist, or a path without a format.
    """
    if wanted is None:
        return None
    if wanted["volume"] is not None:
        found = _describe(hypervisor, wanted["pool"], wanted["volume"])
        return Backing(found["path"], wanted["format"] or found["format"])
    if wanted["format"] is None:
        raise Failure(
            f"backing: give the format of {wanted['path']} too, such as qcow2. It is not guessed, because a guest "
            "could fake the header of another format."
        )
    return Backing(wanted["path"], wanted["format"])


def _new_backing(hypervisor: Hypervisor, params: dict[str, Any], capacity: int | None) -> Backing | None:
    """As `find_backing`, for an overlay that is to be made, with a look at whether a guest can read it."""
    wanted = params["backing"]
    found = find_backing(hypervisor, wanted)
    if found is None:
        return None
    if wanted["volume"] is not None:
        require_complete(hypervisor, wanted["pool"], wanted["volume"])
    below = _describe_path(hypervisor, found.path)
    if below is not None:
        _require_format(found, below)
        _require_room(params["name"], capacity, below["capacity"])
    return found


def _require_format(wanted: Backing, below: dict[str, Any]) -> None:
    """Refuse a format in which QEMU would not find what the file below holds; of a device, libvirt knows none."""
    known = below["format"] in _IMAGES and below["type"] == "file"
    if known and wanted.format in _IMAGES and wanted.format != below["format"]:
        raise Failure(
            f"backing: {wanted.path} is {below['format']}, not {wanted.format}, so that a guest could not read it. "
            "Give the format that it has."
        )


def require_complete(hypervisor: Hypervisor, pool_name: str, name: str) -> None:
    """Raise `Failure` for a volume that would make a broken disk."""
    if marks(hypervisor, require_active_pool(hypervisor, pool_name), name):
        raise incomplete(pool_name, name)


def incomplete(pool_name: str, name: str) -> Failure:
    """The `Failure` for a volume whose upload or copy has not ended."""
    return Failure(
        f"The volume '{name}' of the storage pool '{pool_name}' is not complete: the task that fills it still "
        "runs, or was interrupted. Wait for its end, or run that task again."
    )


def _require_files(hypervisor: Hypervisor, pool: Any, params: dict[str, Any]) -> bool:
    """Whether the volumes of the pool are files; `Failure` where they are not, and the format is one of files."""
    files = holds_files(hypervisor, pool)
    if not files and params["format"] not in (None, "raw"):
        raise Failure(
            f"The storage pool '{params['pool']}' has devices, not files, so that the volume '{params['name']}' cannot "
            f"be {params['format']}. Leave out format, or choose a pool of files."
        )
    return files


def _empty(params: dict[str, Any], capacity: int | None, backing: Backing | None, files: bool) -> Origin:
    if capacity is None and backing is None:
        raise Failure(f"There is no volume '{params['name']}' yet: give the capacity that it is to have.")
    format = params["format"] or ("qcow2" if files else "raw")
    if backing is not None and format == "raw":
        raise Failure("A raw volume can have no backing: choose format=qcow2, or clone_from for a copy.")
    if format != "qcow2" and params["preallocation"] == "metadata":
        raise Failure(
            f"preallocation=metadata is for qcow2: a {format} volume has no tables. Choose full, or leave it out."
        )
    spec = VolumeSpec(params["name"], capacity, format if files else None, params["preallocation"], backing)
    summary = "create the volume" if backing is None else f"create the volume, laid over {backing.path}"
    return Origin(summary, format, capacity, capacity, lambda hv, pool: create_volume(hv, pool, spec), backing)


def _from_volume(hypervisor: Hypervisor, params: dict[str, Any], capacity: int | None, files: bool) -> Origin:
    wanted = params["clone_from"]
    pool_name = wanted["pool"] or params["pool"]
    require_complete(hypervisor, pool_name, wanted["volume"])
    source = require_volume(hypervisor, pool_name, wanted["volume"])
    found = _describe(hypervisor, pool_name, wanted["volume"])
    format = params["format"] or (found["format"] or "raw" if files else "raw")
    # libvirt copies without looking at the capacity; the volume grows afterwards.
    spec = VolumeSpec(params["name"], found["capacity"], format if files else None)
    summary = f"copy the volume '{wanted['volume']}' of the storage pool '{pool_name}'"
    return Origin(summary, format, found["capacity"], capacity, lambda hv, pool: clone_volume(hv, pool, spec, source))


def _from_file(params: dict[str, Any], capacity: int | None) -> Origin:
    path = params["src"]
    image = inspect(path, params["format"])
    checksum = None if params["checksum"] is None else checksums.parse(params["checksum"])

    def create(hypervisor: Hypervisor, pool: Any) -> Any:
        with opened(path) as source:
            return create_with_content(hypervisor, pool, params["name"], source, image.file_size, checksum)

    def check(hypervisor: Hypervisor, pool: Any, freed: int) -> None:
        verify_file(params["checksum"], path)
        with opened(path) as source:
            require_space(hypervisor, pool, params["name"], source, image.file_size, freed)

    return Origin(f"upload {path}", image.format, image.capacity, capacity, create, check=check)


def _describe_path(hypervisor: Hypervisor, path: str) -> dict[str, Any] | None:
    """A volume of any pool, by its path; None for what is in no pool that libvirt knows."""
    doing = f"look up the volume {path}"
    volume = hypervisor.find(doing, hypervisor.connection.storageVolLookupByPath, path)
    xml = None if volume is None else hypervisor.find(doing, volume.XMLDesc, 0)
    return None if xml is None else describe_volume(xml, "")


def _describe(hypervisor: Hypervisor, pool_name: str, name: str) -> dict[str, Any]:
    volume = require_volume(hypervisor, pool_name, name)
    return describe_volume(hypervisor.call(f"read the volume '{name}'", volume.XMLDesc, 0), pool_name)
