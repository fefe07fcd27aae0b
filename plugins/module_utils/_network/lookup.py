# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding a network and reading all that a task needs of it, in at most seven calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.config import describe, read_config
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse


@dataclass(frozen=True)
class Current:
    """What libvirt holds of one network.

    :ivar stored: the persistent configuration (for a transient network: what it runs with).
    :ivar live: what it runs with; None while it is not active.
    :ivar connections: how many network cards of guests are connected.
    """

    name: str
    uuid: str | None
    stored: Element
    live: Element | None
    persistent: bool
    autostart: bool
    connections: int = 0

    @property
    def state(self) -> str:
        """``started`` or ``stopped``."""
        return "stopped" if self.live is None else "started"


def find_network(hypervisor: Hypervisor, name: str | None, uuid: str | None) -> Any:
    """The ``libvirt.virNetwork`` with this name and uuid, of which one may be None; None where there is none.

    :raises Failure: when name and uuid belong to two networks, or one of them to another.
    """
    connection = hypervisor.connection
    if name is None:
        return hypervisor.find(f"look up the network {uuid}", connection.networkLookupByUUIDString, uuid)
    found = hypervisor.find(f"look up the network '{name}'", connection.networkLookupByName, name)
    if uuid is None:
        return found
    if found is None:
        other = hypervisor.find(f"look up the network {uuid}", connection.networkLookupByUUIDString, uuid)
        if other is not None:
            raise Failure(
                f"The uuid {uuid} belongs to the network '{other.name()}' on {hypervisor.uri}, and a network cannot "
                "be renamed. Leave out the uuid, or use that network's name."
            )
    elif found.UUIDString() != uuid.lower():
        raise Failure(
            f"On {hypervisor.uri} the name '{name}' belongs to another network, with the uuid {found.UUIDString()}, "
            f"not {uuid}. Choose another name, or leave out the uuid to manage that network."
        )
    return found


def read_network(hypervisor: Hypervisor, network: Any) -> Current:
    """All that libvirt holds of a network, in at most six calls."""
    name = network.name()
    doing = f"read the network '{name}'"
    active = bool(hypervisor.call(doing, network.isActive))
    persistent = bool(hypervisor.call(doing, network.isPersistent)) if active else True
    return Current(
        name=name,
        uuid=network.UUIDString(),
        stored=parse(hypervisor.call(doing, network.XMLDesc, libvirt.VIR_NETWORK_XML_INACTIVE)),
        live=parse(hypervisor.call(doing, network.XMLDesc, 0)) if active else None,
        persistent=persistent,
        autostart=bool(hypervisor.call(doing, network.autostart)) if persistent else False,
        connections=_count_connections(hypervisor, network) if active else 0,
    )


def _count_connections(hypervisor: Hypervisor, network: Any) -> int:
    """The ports of an active network. The count in its XML is lost with the first live update (libvirt 9.0)."""
    try:
        return len(hypervisor.call(f"list the ports of the network '{network.name()}'", network.listAllPorts, 0))
    except Failure:  # ports came with libvirt 5.5, and only to networks that libvirt runs itself
        return 0


def report(current: Current) -> dict[str, Any]:
    """A network as the modules return it: its stored configuration, and where the active one differs."""
    drift = [] if current.live is None else describe(current.stored, current.live)
    return {
        "name": current.name,
        "uuid": current.uuid,
        "state": current.state,
        "persistent": current.persistent,
        "autostart": current.autostart,
        **read_config(current.stored),
        "mac": _bridge_mac(current.stored),
        "connections": current.connections,
        "drift": [{"path": change.path, "stored": change.before, "live": change.after} for change in drift],
    }


def _bridge_mac(network: Element) -> str | None:
    mac = network.find("mac")
    return None if mac is None else mac.get("address")
