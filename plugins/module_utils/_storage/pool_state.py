# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What libvirt holds of a storage pool, and as what a task returns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.pool_definition import settings
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse

# virStoragePoolState by number: https://libvirt.org/html/libvirt-libvirt-storage.html#virStoragePoolState
_WORDS = {0: "stopped", 1: "building", 2: "started", 3: "degraded", 4: "inaccessible"}

NO_FIGURES = dict.fromkeys(("capacity", "allocation", "available"), 0)


@dataclass(frozen=True)
class PoolState:
    """One storage pool.

    :ivar pool: the ``libvirt.virStoragePool``.
    :ivar stored: what it will be when it is next started (for a transient pool: what it is).
    :ivar live: what it is now; None while it is stopped.
    :ivar state: ``stopped``, ``started``, and rarely ``building``, ``degraded`` or ``inaccessible``.
    :ivar figures: ``capacity``, ``allocation``, ``available``, in bytes; 0 while it is stopped.
    """

    pool: Any
    stored: Element
    live: Element | None
    state: str
    persistent: bool
    autostart: bool
    figures: dict[str, int]

    @property
    def active(self) -> bool:
        """Whether its volumes can be used."""
        return self.live is not None


def read_pool(hypervisor: Hypervisor, pool: Any) -> PoolState:
    """All that libvirt holds of a pool, in five calls, four where it is stopped."""
    doing = f"read the storage pool '{pool.name()}'"
    number, capacity, allocation, available = hypervisor.call(doing, pool.info)
    active = number != libvirt.VIR_STORAGE_POOL_INACTIVE
    persistent = bool(hypervisor.call(doing, pool.isPersistent))
    return PoolState(
        pool=pool,
        stored=parse(hypervisor.call(doing, pool.XMLDesc, libvirt.VIR_STORAGE_XML_INACTIVE)),
        live=parse(hypervisor.call(doing, pool.XMLDesc, 0)) if active else None,
        state=_WORDS.get(number, "unknown"),
        persistent=persistent,
        autostart=bool(hypervisor.call(doing, pool.autostart)) if persistent else False,
        # Of a stopped pool, libvirt remembers what they were.
        figures={"capacity": capacity, "allocation": allocation, "available": available} if active else NO_FIGURES,
    )


def describe(state: PoolState) -> dict[str, Any]:
    """The pool as plain data; the settings are those it runs with, while it runs."""
    shown = settings(state.stored if state.live is None else state.live)
    return {
        "name": state.pool.name(),
        "uuid": state.pool.UUIDString(),
        "state": state.state,
        **{option: shown.get(option) for option in ("type", "path", "mode", "owner", "group")},
        "autostart": state.autostart,
        "persistent": state.persistent,
        **state.figures,
    }


# What `describe` returns of a pool about which nothing is known yet.
UNKNOWN: dict[str, Any] = dict.fromkeys(
    ("name", "uuid", "state", "type", "path", "mode", "owner", "group", "autostart", "persistent", *NO_FIGURES)
)
