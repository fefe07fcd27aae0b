# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changing the capacity of a volume, also while a running domain has it as a disk."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, Plan
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_users import (
    DiskUse,
    VolumeNames,
    disk_uses,
    overlays,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._units import Size

# QEMU rounds the capacity of an image up to whole sectors, and libvirt that of a new qcow2 volume to whole KiB.
_STEPS = (1, 512, 1024)


def is_size(capacity: int, wanted: int) -> bool:
    """Whether a volume of this capacity is as large as was asked for."""
    return any(capacity == -(-wanted // step) * step for step in _STEPS)


def require_some(wanted: int) -> None:
    """Raise `Failure` for a capacity with which a volume would hold nothing."""
    if wanted == 0:
        raise Failure("capacity: a volume of 0 bytes can hold nothing. Give it a size, such as 20 GiB.")


def add_resize(
    plan: Plan, hypervisor: Hypervisor, handle: Any, volume: VolumeNames, capacity: int, wanted: int, allow_shrink: bool
) -> None:
    """Append to the plan what brings a volume from ``capacity`` to ``wanted`` bytes.

    :raises Failure: for what would cut off data, or cannot be done while a domain runs.
    """
    require_some(wanted)
    if is_size(capacity, wanted):
        return
    shrinks = wanted < capacity
    if shrinks and not allow_shrink:
        raise Failure(
            f"The volume '{volume.name}' has {Size(capacity)} and would shrink to {Size(wanted)}, which cuts off "
            "whatever is beyond. If its file systems are smaller than that, set allow_shrink=true."
        )
    if shrinks:
        _require_no_overlays(hypervisor, volume)
    running = [use for use in disk_uses(hypervisor, volume) if use.running]
    if running:
        _check_running(volume, running, shrinks)
        use = running[0]
        plan.add(f"grow the disk {use.target} of {use.domain}", lambda hv: _resize_disk(hv, use, wanted))
    else:
        verb = "shrink" if shrinks else "grow"
        plan.add(f"{verb} the volume to {Size(wanted)}", lambda hv: resize(hv, handle, wanted, shrinks))
    plan.changes.append(Change("capacity", Size(capacity), Size(wanted)))


def resize(hypervisor: Hypervisor, volume: Any, capacity: int, shrink: bool = False) -> None:
    """Give a volume that nobody uses another capacity, in bytes; a changing call."""
    flags = libvirt.VIR_STORAGE_VOL_RESIZE_SHRINK if shrink else 0
    hypervisor.call(f"resize the volume '{volume.name()}'", volume.resize, capacity, flags, limited=False)


def _require_no_overlays(hypervisor: Hypervisor, volume: VolumeNames) -> None:
    """An overlay reads from the whole of what it is laid over, whatever its own file systems hold."""
    laid_over = overlays(hypervisor, volume)
    if laid_over:
        raise Failure(
            f"The volume '{volume.name}' cannot shrink, because {laid_over[0]} is laid over it and would lose what is "
            "beyond. Delete that first, or make it stand alone."
        )


def _resize_disk(hypervisor: Hypervisor, use: DiskUse, capacity: int) -> None:
    """Let QEMU do it, so that the guest learns of it at once."""
    doing = f"grow the disk {use.target} of the domain '{use.domain}'"
    hypervisor.call(doing, use.handle.blockResize, use.target, capacity, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)


def _check_running(volume: VolumeNames, running: list[DiskUse], shrinks: bool) -> None:
    who = " and ".join(str(use) for use in running)
    if shrinks:
        raise Failure(f"The volume '{volume.name}' cannot shrink while it is in use by {who}. Stop it first.")
    if len(running) > 1:
        raise Failure(f"The volume '{volume.name}' cannot grow while more than one uses it: {who}. Stop them first.")
    if not running[0].direct:
        raise Failure(f"The volume '{volume.name}' cannot grow while it backs a disk of {who}. Stop it first.")
