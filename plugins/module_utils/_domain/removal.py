# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removing a domain: stop it, forget it, and delete only the data that the task names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import variables_folder
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Current, Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.power import Power, plan_after_crash, plan_stop
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections.firmware import variables_of
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._parallel import each
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, Plan
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_users import (
    VolumeNames,
    disk_uses,
    overlays,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse


@dataclass(frozen=True)
class Removal:
    """What goes together with the domain, besides the disks that the task names.

    :ivar nvram: ``keep`` or ``delete`` the UEFI variables.
    :ivar tpm_state: ``keep`` or ``delete`` what the emulated TPM holds.
    """

    nvram: str
    tpm_state: str


@dataclass(frozen=True)
class Doomed:
    """A disk whose volume will be deleted: its target, and the ``libvirt.virStorageVol`` with its pool's name."""

    target: str
    path: str
    pool: str
    volume: Any


def find_doomed(hypervisor: Hypervisor, current: Current, disks: tuple[str, ...]) -> list[Doomed]:
    """The volumes behind the disks that the task names.

    :raises Failure: for a target that the domain does not have, a CD-ROM, a disk that is no volume of an active
        pool, and a volume that another domain or a volume laid over it needs too.
    """
    doomed = [_find_volume(hypervisor, current, target) for target in dict.fromkeys(disks)]
    if doomed:
        _refuse_shared(hypervisor, current, doomed)
    return doomed


def require_own_variables(hypervisor: Hypervisor, current: Current) -> None:
    """Make sure that no other domain has the UEFI variables that are to be deleted: a renamed one keeps its file.

    :raises Failure: when one has.
    """
    folder = variables_folder(hypervisor.uri)
    variables = variables_of(current.stored, folder)
    if variables is None:
        return
    domains = hypervisor.call("list the domains", hypervisor.connection.listAllDomains, 0)
    others = [domain for domain in domains if domain.UUIDString() != current.uuid]
    shares = each(lambda domain: variables in _variables(hypervisor, domain, folder), others)
    names = sorted(domain.name() for domain, has in zip(others, shares) if has)
    if names:
        raise Failure(
            f"nvram: {variables} is not deleted, because it also holds the UEFI variables of the domain '{names[0]}'. "
            "Nothing was changed. Use nvram=keep."
        )


def _variables(hypervisor: Hypervisor, domain: Any, folder: str) -> set[str | None]:
    """The files that a domain runs with, or will at its next start."""
    kinds = [libvirt.VIR_DOMAIN_XML_INACTIVE] + ([0] if domain.ID() != -1 else [])
    texts = [hypervisor.find(f"read the domain '{domain.name()}'", domain.XMLDesc, kind) for kind in kinds]
    return {variables_of(parse(text), folder) for text in texts if text is not None}


def plan_removal(plan: Plan, current: Current, removal: Removal, doomed: list[Doomed], power: Power) -> None:
    """Append to the plan: stop, undefine, delete; in this order, so that a failure never leaves half a disk in use."""
    handle = Handle(current.name, current.domain)
    if current.state == "crashed":
        plan_after_crash(plan, handle, power)
    elif current.active:
        plan_stop(plan, handle, current.state, power)
    if current.persistent:
        flags = _undefine_flags(current, removal, power.force)
        plan.add("undefine the domain", lambda hypervisor: _undefine(hypervisor, handle, flags))
    plan.changes.append(Change("name", current.name, None))
    for disk in doomed:
        plan.add(f"delete the volume {disk.path}", partial(_delete, disk=disk))
        plan.changes.append(Change(f"disks.{disk.target}.path", disk.path, None))


def _undefine_flags(current: Current, removal: Removal, force: bool) -> int:
    flags = 0
    keep_nvram = removal.nvram == "keep"
    flags |= libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM if keep_nvram else libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
    if current.stored.find("devices/tpm") is not None:
        keep_tpm = removal.tpm_state == "keep"
        flags |= libvirt.VIR_DOMAIN_UNDEFINE_KEEP_TPM if keep_tpm else libvirt.VIR_DOMAIN_UNDEFINE_TPM
    if force:
        flags |= libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
        flags |= libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
        flags |= libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
    return flags


def _undefine(hypervisor: Hypervisor, handle: Handle, flags: int) -> None:
    try:
        hypervisor.call(f"remove the domain '{handle.name}'", handle.domain.undefineFlags, flags)
    except Failure as failure:
        if any(word in failure.message for word in ("snapshot", "managed save", "checkpoint")):
            failure.message += " Delete that first, or set force=true to let it go with the domain."
        raise


def _find_volume(hypervisor: Hypervisor, current: Current, target: str) -> Doomed:
    disk = _disk(current, target)
    if disk.get("device", "disk") != "disk" or disk.find("readonly") is not None:
        raise Failure(
            f"remove_disks: '{target}' of '{current.name}' is read-only or a CD-ROM; its image is never deleted here."
        )
    source = disk.find("source")
    attributes = {} if source is None else source.attrib
    doing = f"find the volume of the disk '{target}' of '{current.name}'"
    connection = hypervisor.connection
    if "pool" in attributes:
        pool = hypervisor.call(doing, connection.storagePoolLookupByName, attributes["pool"])
        volume = hypervisor.find(doing, pool.storageVolLookupByName, attributes["volume"])
    else:
        path = attributes.get("file") or attributes.get("dev") or ""
        volume = hypervisor.find(doing, connection.storageVolLookupByPath, path) if path else None
    if volume is None:
        raise Failure(
            f"remove_disks: the disk '{target}' of '{current.name}' is no volume of an active storage pool, so libvirt "
            "cannot delete it. Leave it out, or make its folder a pool first."
        )
    pool = hypervisor.call(doing, volume.storagePoolLookupByVolume)
    return Doomed(target, hypervisor.call(doing, volume.path), pool.name(), volume)


def _disk(current: Current, target: str) -> Element:
    disks = {_target(disk): disk for disk in current.stored.iterfind("devices/disk")}
    if target not in disks:
        known = ", ".join(sorted(disks)) or "none"
        raise Failure(f"remove_disks: the domain '{current.name}' has no disk '{target}'; its disks: {known}.")
    return disks[target]


def _target(disk: Element) -> str:
    found = disk.find("target")
    return "" if found is None else found.get("dev", "")


def _refuse_shared(hypervisor: Hypervisor, current: Current, doomed: list[Doomed]) -> None:
    paths = {disk.path for disk in doomed}
    for disk in doomed:
        names = VolumeNames(disk.pool, disk.volume.name(), disk.path)
        users = [str(use) for use in disk_uses(hypervisor, names) if use.handle.UUIDString() != current.uuid]
        laid_over = [path for path in overlays(hypervisor, names) if path not in paths]
        users += [f"the volume {path}, which is laid over it" for path in laid_over]
        if users:
            raise Failure(
                f"remove_disks: {disk.path} is not deleted, because it is needed by {', '.join(users[:3])} too. "
                "Leave that disk out of remove_disks."
            )


def _delete(hypervisor: Hypervisor, disk: Doomed) -> None:
    hypervisor.call(f"delete the volume {disk.path}", disk.volume.delete, 0, limited=False)
