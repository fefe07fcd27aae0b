# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting until a guest has an address or its agent answers the port."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.events import DomainEvents
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.guest_agent import (
    AGENT_CHANNEL,
    agent_connected,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.addresses import interface_addresses
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse

# libvirt has no event for a DHCP lease, so between events it is asked again, ever less often.
_FIRST_LOOK = 0.5
_LONGEST_PAUSE = 10.0


def wait_until_ready(
    hypervisor: Hypervisor, handle: Handle, conditions: Iterable[str], deadline: Deadline
) -> dict[str, Any]:
    """Wait for ``address``, ``agent`` or both; returns ``addresses``, a list of dicts, for the former.

    :raises Failure: at the deadline, with what is still missing; or when the guest stops meanwhile.
    """
    wanted = set(conditions)
    pause = _FIRST_LOOK
    with DomainEvents(hypervisor, handle.domain, ("lifecycle", "agent")) as events:
        while True:
            live = _running(hypervisor, handle)
            agent = agent_connected(live)
            addresses = _addresses(hypervisor, handle, agent) if "address" in wanted else []
            unmet = [
                word for word, met in (("address", bool(addresses)), ("agent", agent)) if word in wanted and not met
            ]
            if not unmet:
                return {"addresses": addresses} if "address" in wanted else {}
            if deadline.passed:
                raise Failure(_what_is_missing(handle, live, unmet, deadline))
            events.next(_pause(pause, deadline))
            pause = min(pause * 1.5, _LONGEST_PAUSE)


def _pause(seconds: float, deadline: Deadline) -> Deadline:
    remaining = deadline.remaining
    return Deadline(seconds if remaining is None else min(seconds, remaining))


def _running(hypervisor: Hypervisor, handle: Handle) -> Element:
    live = parse(hypervisor.call(f"read the domain '{handle.name}'", handle.domain.XMLDesc, 0))
    if live.get("id") is None:
        raise Failure(f"The domain '{handle.name}' does not run, so there is nothing to wait for in its guest.")
    return live


def _addresses(hypervisor: Hypervisor, handle: Handle, agent: bool) -> list[dict[str, Any]]:
    sources = [("lease", libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE)]
    if agent:
        sources.append(("agent", libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT))
    found: list[dict[str, Any]] = []
    for source, number in sources:
        found += _from_source(hypervisor, handle, source, number)
    return found


def _from_source(hypervisor: Hypervisor, handle: Handle, source: str, number: int) -> list[dict[str, Any]]:
    try:
        interfaces = hypervisor.call("ask for addresses", handle.domain.interfaceAddresses, number)
    except Failure:
        return []  # an agent that has just gone, a network without leases: asked again at the next look
    return interface_addresses(source, interfaces or {})


def _what_is_missing(handle: Handle, live: Element, unmet: list[str], deadline: Deadline) -> str:
    allowed = f"within {deadline.seconds:g} seconds (timeout)"
    if "agent" in unmet:
        return (
            f"The guest agent of '{handle.name}' did not open its port {AGENT_CHANNEL} {allowed}. The domain runs. "
            "Check on its console that the guest has booted and that qemu-guest-agent is installed in it."
        )
    interfaces = [mac.get("address", "") for mac in live.iterfind("devices/interface/mac")]
    if not interfaces:
        return (
            f"The domain '{handle.name}' has no network interface, so it will not get an address. Do not wait for one."
        )
    return (
        f"The guest of '{handle.name}' got no address {allowed}: neither its network's DHCP leases nor a guest agent "
        f"tell one (interfaces {', '.join(interfaces)}). The domain runs. Check on its console that the guest boots "
        "and asks for an address."
    )
