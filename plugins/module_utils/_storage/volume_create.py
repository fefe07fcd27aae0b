# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Creating volumes, also with content; what fails leaves no volume behind.

These are calls that change something: they belong into an `Action`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor, connect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.checksum import Checksum
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.blocks import allocated
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.lookup import (
    find_volume,
    holds_files,
    refresh,
    require_active_pool,
    try_refresh,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.transfer import upload
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.upload_mark import (
    marks,
    new_mark,
    require_no_other_upload,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_definition import (
    VolumeSpec,
    volume_xml,
)

_MIB = 1024 * 1024


def create_volume(hypervisor: Hypervisor, pool: Any, spec: VolumeSpec) -> Any:
    """Create an empty volume, or an overlay, and return its ``libvirt.virStorageVol``.

    :param pool: the ``libvirt.virStoragePool``.
    :raises Failure: as for a name that is taken or a disk that is full.
    """
    doing = f"create the volume '{spec.name}'"
    wants_tables = spec.format == "qcow2" and spec.preallocation != "off"
    flags = libvirt.VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA if wants_tables else 0
    return hypervisor.call(doing, pool.createXML, volume_xml(spec), flags, limited=False)


def clone_volume(hypervisor: Hypervisor, pool: Any, spec: VolumeSpec, origin: Any) -> Any:
    """Create a volume with a copy of what a guest sees of another one, and return its ``libvirt.virStorageVol``.

    libvirt converts to ``spec.format``, merges the backing chain of the origin, and keeps its capacity.

    :param origin: the ``libvirt.virStorageVol`` to copy, on the same hypervisor.
    :raises Failure: libvirt then removes the copy. Where its daemon dies, a mark stays; see upload_mark.py.
    """
    doing = f"copy the volume '{origin.name()}' to '{spec.name}'"
    mark = _create_mark(hypervisor, pool, spec.name)
    try:
        volume = hypervisor.call(doing, pool.createXMLFrom, volume_xml(spec), origin, 0, limited=False)
    except Failure:
        if hypervisor.connection.isAlive():  # then libvirt itself has removed what it could not complete
            delete_volume(hypervisor, mark)
        raise
    delete_volume(hypervisor, mark)
    return volume


def create_with_content(
    hypervisor: Hypervisor,
    pool: Any,
    name: str,
    source: Any,
    length: int,
    checksum: Checksum | None = None,
) -> Any:
    """Create a volume, write content into it, and return its ``libvirt.virStorageVol``.

    Whether it is qcow2 or raw, and its capacity, libvirt reads from the content.

    :param source: a binary file opened for reading, or an iterable of bytes; any size needs the same memory.
    :param length: how many bytes there are.
    :param checksum: what the content must have.
    :raises Failure: the volume is then removed again, over a new connection where the old one is lost. Where that does
        not work either, or this process dies, the mark of the upload stays; see upload_mark.py.
    """
    pool_name = pool.name()
    require_space(hypervisor, pool, name, source, length)
    mark = _create_mark(hypervisor, pool, name)
    with _removed_on_failure(hypervisor, pool_name, mark.name()):
        # A raw file grows with the content, and has nothing else in it. A device has its size from the beginning.
        files = holds_files(hypervisor, pool)
        capacity = 0 if files else length
        volume = create_volume(hypervisor, pool, VolumeSpec(name, capacity, "raw" if files else None))
    with _removed_on_failure(hypervisor, pool_name, mark.name(), name):
        upload(hypervisor, volume, source, length, checksum)
        refresh(hypervisor, pool)
    delete_volume(hypervisor, mark)
    return volume


def delete_volume(hypervisor: Hypervisor, volume: Any) -> None:
    """Delete a volume and its data."""
    # A block device can take long.
    hypervisor.call(f"delete the volume '{volume.name()}'", volume.delete, 0, limited=False)


def delete_if_there(hypervisor: Hypervisor, pool_name: str, *names: str) -> None:
    """Delete those of these volumes that exist."""
    for name in names:
        volume = find_volume(hypervisor, pool_name, name)
        if volume is not None:
            delete_volume(hypervisor, volume)


def delete_marks(hypervisor: Hypervisor, pool: Any, name: str) -> None:
    """Delete the marks of a volume whose incomplete content is gone."""
    delete_if_there(hypervisor, pool.name(), *marks(hypervisor, pool, name))


def require_space(hypervisor: Hypervisor, pool: Any, name: str, source: Any, length: int, freed: int = 0) -> None:
    """Refuse content that cannot fit, before it fills a disk that others share, and that libvirt 11.3 crashes on.

    :param name: of the volume that it is for.
    :param source: holes of a file do not count.
    :param freed: bytes that the volume which this one replaces takes now.
    """
    try_refresh(hypervisor, pool)
    needed = allocated(source, length)
    available = hypervisor.call(f"read the storage pool '{pool.name()}'", pool.info)[3] + freed
    if available < needed:
        raise Failure(
            f"Cannot write the volume '{name}': No space left on device. Free some space on the storage pool's host: "
            f"it takes {-(-needed // _MIB)} MiB, and the storage pool '{pool.name()}' has {available // _MIB} MiB left."
        )


def _create_mark(hypervisor: Hypervisor, pool: Any, name: str) -> Any:
    """Put a new mark beside a volume that will be made, in the place of those of attempts that died."""
    try_refresh(hypervisor, pool)  # another hypervisor may have put one into a pool that both share
    require_no_other_upload(hypervisor, pool, name)
    delete_marks(hypervisor, pool, name)
    format = "raw" if holds_files(hypervisor, pool) else None
    return create_volume(hypervisor, pool, VolumeSpec(new_mark(hypervisor, name), 1, format))


@contextlib.contextmanager
def _removed_on_failure(hypervisor: Hypervisor, pool_name: str, mark: str, *names: str) -> Iterator[None]:
    """Delete these volumes, and then their mark, when the work that made them fails."""
    try:
        yield
    except Failure as failure:
        note = _discard(hypervisor, pool_name, mark, *names)
        raise Failure(failure.message + note, **failure.result) from failure
    except BaseException:
        _discard(hypervisor, pool_name, mark, *names)
        raise


def _discard(hypervisor: Hypervisor, pool_name: str, mark: str, *names: str) -> str:
    """Delete what is incomplete; a sentence for the user where that did not work, else nothing."""
    try:
        if hypervisor.connection.isAlive():
            _delete_marked(hypervisor, pool_name, mark, *names)
        else:
            with connect(hypervisor.options) as again:
                _delete_marked(again, pool_name, mark, *names)
    except (Failure, libvirt.libvirtError):
        return (
            f" The incomplete volume '{(*names, mark)[0]}' could not be removed from the storage pool '{pool_name}'. "
            "The next run of this task replaces it."
        )
    return ""


def _delete_marked(hypervisor: Hypervisor, pool_name: str, mark: str, *names: str) -> None:
    try_refresh(hypervisor, require_active_pool(hypervisor, pool_name))
    if find_volume(hypervisor, pool_name, mark) is not None:  # else another upload has taken these volumes over
        delete_if_there(hypervisor, pool_name, *names, mark)
