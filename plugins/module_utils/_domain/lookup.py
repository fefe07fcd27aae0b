# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding a domain and reading all that a task needs of it, in at most six calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.states import state_word
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure, missing
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse


@dataclass
class Handle:
    """The domain that a task is about; its actions share it.

    :ivar name: the name at the end of the task.
    :ivar domain: the ``libvirt.virDomain``; None until the domain is defined.
    """

    name: str
    domain: Any = None


@dataclass(frozen=True)
class Current:
    """What libvirt holds of one domain.

    :ivar domain: the ``libvirt.virDomain``.
    :ivar stored: the persistent configuration (for a transient domain: what it runs with).
    :ivar live: what it runs with; None while it does not run.
    :ivar state: a word of `STATES`.
    """

    domain: Any
    name: str
    uuid: str
    stored: Element
    live: Element | None
    state: str
    persistent: bool
    autostart: bool

    @property
    def active(self) -> bool:
        """Whether a QEMU process exists (running, paused, suspended, crashed)."""
        return self.live is not None


def find_domain(hypervisor: Hypervisor, name: str | None, uuid: str | None) -> Any:
    """The ``libvirt.virDomain`` with this uuid, else with this name; None where there is none.

    :raises Failure: when a uuid is named, no domain has it, but one has the name.
    """
    connection = hypervisor.connection
    if uuid is not None:
        found = hypervisor.find(f"look up the domain {uuid}", connection.lookupByUUIDString, uuid)
        if found is not None or name is None:
            return found
    found = hypervisor.find(f"look up the domain '{name}'", connection.lookupByName, name)
    if found is not None and uuid is not None:
        raise Failure(
            f"On {hypervisor.uri} the name '{name}' belongs to another domain, with the uuid {found.UUIDString()}, "
            f"not {uuid}. Choose another name, or leave out the uuid to manage that domain."
        )
    return found


def require_free_name(hypervisor: Hypervisor, name: str, current: Current) -> None:
    """Make sure that no other domain has the name that ``current`` is to get.

    :raises Failure: when one has.
    """
    taken = hypervisor.find(f"look up the domain '{name}'", hypervisor.connection.lookupByName, name)
    if taken is not None:
        raise Failure(
            f"Cannot rename the domain '{current.name}' ({current.uuid}): another domain, {taken.UUIDString()}, is "
            f"called '{name}' already. Choose another name, or correct the uuid."
        )


def require_domain(hypervisor: Hypervisor, name: str | None, uuid: str | None) -> Any:
    """As `find_domain`, but its absence is a `Failure` that names what is near."""
    found = find_domain(hypervisor, name, uuid)
    if found is None:
        domains = hypervisor.call("list the domains", hypervisor.connection.listAllDomains, 0)
        raise missing("domain", name or str(uuid), hypervisor.uri, (domain.name() for domain in domains))
    return found


def read_domain(hypervisor: Hypervisor, domain: Any) -> Current:
    """All that libvirt holds of a domain, in at most five calls (up to two more in check mode, for passwords)."""
    doing = f"read the domain '{domain.name()}'"
    active = domain.ID() != -1  # as of the look-up: no call
    stored = read_stored(hypervisor, domain)
    live = _secure_xml(hypervisor, domain, doing, 0) if active else None
    persistent = bool(hypervisor.call(doing, domain.isPersistent)) if active else True
    return Current(
        domain=domain,
        name=domain.name(),
        uuid=domain.UUIDString(),
        stored=stored,
        live=live,
        state=state_word(hypervisor.call(doing, domain.state, 0)[0]) if active else "stopped",
        persistent=persistent,
        autostart=bool(hypervisor.call(doing, domain.autostart)) if persistent else False,
    )


def read_stored(hypervisor: Hypervisor, domain: Any) -> Element:
    """The persistent configuration of a domain; what it runs with, where it has none."""
    return _secure_xml(hypervisor, domain, f"read the domain '{domain.name()}'", libvirt.VIR_DOMAIN_XML_INACTIVE)


def _secure_xml(hypervisor: Hypervisor, domain: Any, doing: str, flags: int) -> Element:
    """The XML with its graphics passwords: without them a redefinition would drop them."""
    if not hypervisor.read_only:
        return parse(hypervisor.call(doing, domain.XMLDesc, flags | libvirt.VIR_DOMAIN_XML_SECURE))
    found = parse(hypervisor.call(doing, domain.XMLDesc, flags))
    # Only a screen can have one, so only that costs a call on a second, read-write connection in check mode.
    if found.find("devices/graphics") is not None:
        inactive = bool(flags & libvirt.VIR_DOMAIN_XML_INACTIVE)
        return parse(hypervisor.privileged.secure_domain_xml(domain.UUIDString(), inactive))
    return found
