# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who needs a volume: the domains that have it as a disk, the volumes that are laid over it.

Nothing of libvirt answers that, so every domain's and every volume's XML is read, side by side. It is asked only
before something that could hurt them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure, is_not_found
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._parallel import each
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.lookup import holds_files, try_refresh
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at, parse, text_at


@dataclass(frozen=True)
class VolumeNames:
    """What names a volume in other resources' XML."""

    pool: str
    name: str
    path: str


@dataclass(frozen=True)
class DiskUse:
    """A domain's disk that needs a volume.

    :ivar handle: the ``libvirt.virDomain``.
    :ivar target: the disk's name in the domain, such as ``vda``.
    :ivar running: whether QEMU has the volume open now.
    :ivar direct: whether the disk writes to it, rather than to an overlay of it.
    :ivar is_waiting: whether a running domain has the disk only in its stored configuration, for its next start.
    """

    handle: Any
    domain: str
    target: str
    running: bool
    direct: bool
    is_waiting: bool = False

    def __str__(self) -> str:
        if self.is_waiting:
            return f"the running domain '{self.domain}' from its next start (disk {self.target})"
        state = "running" if self.running else "stopped"
        return f"the {state} domain '{self.domain}' (disk {self.target})"


def disk_uses(hypervisor: Hypervisor, volume: VolumeNames) -> list[DiskUse]:
    """All disks of all domains that need a volume, as far as libvirt knows: of a stopped domain it knows only the
    top of the backing chain."""
    domains = hypervisor.call("list the domains", hypervisor.connection.listAllDomains, 0)
    return [use for uses in each(lambda domain: _uses_of(hypervisor, domain, volume), domains) for use in uses]


def overlays(hypervisor: Hypervisor, volume: VolumeNames) -> list[str]:
    """The paths of the volumes, in all started pools, that are laid over this one.

    libvirt looks again first: it does not know what qemu-img, or another hypervisor that shares a pool, has made since
    it last did. A read-only connection (check mode) may not do that, and goes by what libvirt knows.
    """
    doing = "look for volumes that are laid over this one"
    pools = hypervisor.call(
        doing, hypervisor.connection.listAllStoragePools, libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE
    )
    if not hypervisor.read_only:
        each(lambda pool: _look_again(hypervisor, pool), pools)
    volumes = [found for of_pool in each(lambda pool: _volumes(hypervisor, pool), pools) for found in of_pool]
    # A volume that is gone by now is none any more.
    texts = each(lambda found: hypervisor.find(doing, found.XMLDesc, 0), volumes)
    trees = [parse(text) for text in texts if text is not None]
    return sorted(
        str(text_at(tree, "target/path")) for tree in trees if _is_path(text_at(tree, "backingStore/path"), volume.path)
    )


def _look_again(hypervisor: Hypervisor, pool: Any) -> None:
    """Let libvirt look at what a pool holds now, where that can be an overlay."""
    try:
        if holds_files(hypervisor, pool):
            try_refresh(hypervisor, pool)
    except Failure as failure:
        cause = failure.__cause__
        if isinstance(cause, Exception) and is_not_found(cause):  # a pool that is gone by now holds none any more
            return
        raise Failure(
            f"{failure.message} So nobody knows whether a volume in it is laid over the one that would be hurt. Mend "
            "that storage pool, or delete it if it is not needed, and run the task again."
        ) from failure


def _volumes(hypervisor: Hypervisor, pool: Any) -> list[Any]:
    return list(hypervisor.find(f"list the volumes of the storage pool '{pool.name()}'", pool.listAllVolumes, 0) or [])


def _uses_of(hypervisor: Hypervisor, domain: Any, volume: VolumeNames) -> list[DiskUse]:
    active = domain.ID() != -1
    uses = _uses_in(hypervisor, domain, 0, volume)
    found = [DiskUse(domain, domain.name(), target, active, direct) for target, direct in uses]
    if active:  # what its next start needs may differ from what it runs with
        known = {use.target for use in found}
        stored = _uses_in(hypervisor, domain, libvirt.VIR_DOMAIN_XML_INACTIVE, volume)
        found += [
            DiskUse(domain, domain.name(), target, running=False, direct=direct, is_waiting=True)
            for target, direct in stored
            if target not in known
        ]
    return found


def _uses_in(hypervisor: Hypervisor, domain: Any, flags: int, volume: VolumeNames) -> list[tuple[str, bool]]:
    """Target, and whether it is direct, of each disk that needs the volume in one of a domain's configurations."""
    text = hypervisor.find(f"read the domain '{domain.name()}'", domain.XMLDesc, flags)
    if text is None:
        return []
    return [
        (attribute_at(disk, "target", "dev") or "", position == 0)
        for disk in parse(text).iterfind("devices/disk")
        for position, source in enumerate(_chain(disk))
        if _is(source, volume)
    ]


def _chain(disk: Element) -> Iterator[Element]:
    """The ``<source>`` of a disk and those that it is laid over, top first."""
    layer: Element | None = disk
    while layer is not None:
        source = layer.find("source")
        if source is not None:
            yield source
        layer = layer.find("backingStore")


def _is(source: Element, volume: VolumeNames) -> bool:
    if source.get("pool") is not None:
        return (source.get("pool"), source.get("volume")) == (volume.pool, volume.name)
    return any(_is_path(source.get(kind), volume.path) for kind in ("file", "dev"))


def _is_path(found: str | None, path: str) -> bool:
    """Whether a path, as somebody wrote it into XML or an image, is that of a volume. What is a link on the hypervisor
    cannot be known from here."""
    return found is not None and posixpath.normpath(found) == posixpath.normpath(path)
