# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting until a guest has an address, its agent has opened the port, or its cloud-init has ended."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.status import PORT
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.waiting import wait_for_status
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.events import DomainEvents
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.guest_agent import (
    CHANNELS,
    connected_agents,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.addresses import interface_addresses
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.agents import agent_addresses
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse

# libvirt has no event for a DHCP lease, nor for our agent's port: between events it is asked again, ever less often.
_FIRST_LOOK = 0.5
_LONGEST_PAUSE = 5.0
_AGENT_TIMEOUT = 5.0


def wait_until_ready(
    hypervisor: Hypervisor, handle: Handle, conditions: Iterable[str], deadline: Deadline
) -> dict[str, Any]:
    """Wait for each of ``cloud_init``, ``address``, ``agent`` and ``kvmmanager_agent`` that is named.

    Returns ``cloud_init``, a dict, and ``addresses``, a list of dicts, for the former two.

    :raises Failure: at the deadline, with what is still missing; when the guest stops meanwhile, and when its
        cloud-init ended with an error.
    """
    wanted = set(conditions)
    # First: network and agent come up on the way.
    found = {"cloud_init": _cloud_init(hypervisor, handle, deadline)} if "cloud_init" in wanted else {}
    return {**found, **_address_and_agent(hypervisor, handle, wanted, deadline)}


def _cloud_init(hypervisor: Hypervisor, handle: Handle, deadline: Deadline) -> dict[str, Any]:
    found = wait_for_status(hypervisor, handle.domain, handle.name, PORT, deadline)
    if found.word == "error":
        raise Failure(f"cloud-init in '{handle.name}' ended with an error: {found.report}")
    return {"status": found.word, "report": found.report}


def _address_and_agent(hypervisor: Hypervisor, handle: Handle, wanted: set[str], deadline: Deadline) -> dict[str, Any]:
    pause = _FIRST_LOOK
    with DomainEvents(hypervisor, handle.domain, ("lifecycle", "agent")) as events:
        while True:
            live = _running(hypervisor, handle)
            agents = connected_agents(live)
            addresses = _addresses(hypervisor, handle, agents) if "address" in wanted else []
            met = {"address": bool(addresses), "agent": bool(agents), "kvmmanager_agent": "kvmmanager" in agents}
            unmet = [word for word, is_met in met.items() if word in wanted and not is_met]
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


def _addresses(hypervisor: Hypervisor, handle: Handle, agents: list[str]) -> list[dict[str, Any]]:
    found = _leases(hypervisor, handle)
    if agents:
        # An agent that has just gone is asked again at the next look.
        with contextlib.suppress(Failure):
            found += agent_addresses(hypervisor, handle.domain.UUIDString(), agents, _AGENT_TIMEOUT)
    return found


def _leases(hypervisor: Hypervisor, handle: Handle) -> list[dict[str, Any]]:
    source = libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE
    try:
        interfaces = hypervisor.call("ask for addresses", handle.domain.interfaceAddresses, source)
    except Failure:
        return []  # a network without leases
    return interface_addresses("lease", interfaces or {})


def _what_is_missing(handle: Handle, live: Element, unmet: list[str], deadline: Deadline) -> str:
    allowed = f"within {deadline.seconds:g} seconds (timeout)"
    if "agent" in unmet or "kvmmanager_agent" in unmet:
        ports = CHANNELS.values() if "agent" in unmet else [CHANNELS["kvmmanager"]]
        return (
            f"No guest agent of '{handle.name}' opened its port ({' or '.join(ports)}) {allowed}. "
            "The domain runs. Check on its console that the guest has booted and that an agent is installed in it."
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
