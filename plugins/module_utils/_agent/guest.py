# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening a session with the agent of a guest."""

from __future__ import annotations

import contextlib
import uuid as uuids
from collections.abc import Iterator
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.channel import open_channel
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import (
    Command,
    Ended,
    FileFacts,
    Guest,
    GuestError,
    GuestUnreachable,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.kvmmanager import KvmmanagerGuest
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.ports import (
    AGENTS,
    choose_agent,
    what_is_missing,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.qemu import QemuGuest
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.session import Session
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.wire import PORT_NAME
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.events import DomainEvents
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import require_domain
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse

__all__ = [
    "AGENTS",
    "Command",
    "Ended",
    "FileFacts",
    "Guest",
    "GuestError",
    "GuestUnreachable",
    "find_guest_domain",
    "open_guest",
]

# libvirt has no event for the port of our agent, so between other events it is looked at again, ever less often.
_FIRST_PAUSE = 0.2  # seconds
_LONGEST_PAUSE = 3.0


@contextlib.contextmanager
def open_guest(
    hypervisor: Hypervisor, domain: str, agent: str = "auto", wait: float = 0.0, timeout: float = 30.0
) -> Iterator[Guest]:
    """A session with the guest's agent for the length of a ``with`` block.

    The live XML is read first: a domain that is off, has no port for an agent, or whose agent has not opened it
    fails at once, with what to do.

    :param hypervisor: a connection that is not read-only.
    :param domain: name or uuid.
    :param agent: ``kvmmanager``, ``qemu``, or ``auto``: ours when its port is connected, else qemu-guest-agent.
    :param wait: seconds to wait for the domain to run and its agent to open the port.
    :param timeout: seconds until the agent has answered the first question; another program that uses the port,
        on any machine, is waited for as long.
    :raises GuestUnreachable: when there is no such session to be had; the sentence says why and what to do.
    :raises Failure: when there is no such domain, or libvirt fails.
    """
    found = find_guest_domain(hypervisor, domain)
    chosen = _choose(hypervisor, found, agent, wait)
    guest = _open(hypervisor, found, chosen, Deadline(timeout))
    try:
        yield guest
    finally:
        guest.close()


def find_guest_domain(hypervisor: Hypervisor, domain: str) -> Any:
    """The ``libvirt.virDomain`` with this uuid or name; its absence is a `Failure`."""
    if _is_uuid(domain):
        by_uuid = hypervisor.connection.lookupByUUIDString
        found = hypervisor.find(f"look up the domain {domain}", by_uuid, domain)
        if found is not None:
            return found
    return require_domain(hypervisor, domain, None)


def _is_uuid(text: str) -> bool:
    try:
        uuids.UUID(text)
    except ValueError:
        return False
    return True


def _choose(hypervisor: Hypervisor, found: Any, agent: str, wait: float) -> str:
    """The agent to talk to, once its port is connected."""
    live = _live(hypervisor, found)
    chosen = choose_agent(live, agent)
    if chosen is None and wait > 0:
        chosen, live = _wait_for_agent(hypervisor, found, agent, Deadline(wait))
    if chosen is None:
        raise GuestUnreachable(what_is_missing(live, found.name(), agent, wait))
    return chosen


def _wait_for_agent(hypervisor: Hypervisor, found: Any, agent: str, deadline: Deadline) -> tuple[str | None, Element]:
    pause = _FIRST_PAUSE
    with DomainEvents(hypervisor, found, ("lifecycle", "agent")) as events:
        while True:
            live = _live(hypervisor, found)
            chosen = choose_agent(live, agent)
            if chosen is not None or deadline.passed:
                return chosen, live
            events.next(Deadline(min(pause, deadline.remaining or 0.0)))
            pause = min(pause * 1.5, _LONGEST_PAUSE)


def _live(hypervisor: Hypervisor, found: Any) -> Element:
    return parse(hypervisor.call(f"read the domain '{found.name()}'", found.XMLDesc, 0))


def _open(hypervisor: Hypervisor, found: Any, chosen: str, deadline: Deadline) -> Guest:
    where = f"the guest of '{found.name()}'"
    if chosen == "qemu":
        return QemuGuest(hypervisor, found, where, deadline)
    uuid = found.UUIDString()

    def connect(until: Deadline) -> Session:
        channel = open_channel(hypervisor, uuid, PORT_NAME, where, until)
        try:
            return Session(channel, where, until)
        except BaseException:
            channel.close()
            raise

    return KvmmanagerGuest(where, connect, deadline)
