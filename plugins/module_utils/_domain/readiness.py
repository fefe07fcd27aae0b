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
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.leases import (
    NO_LEASES,
    Leases,
    finite_leases,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.addresses import (
    in_order_of,
    interface_addresses,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.agents import agent_addresses
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse

# libvirt has no event for a DHCP lease, nor for our agent's port: between events it is asked again, ever less often.
_FIRST_LOOK = 0.5
_LONGEST_PAUSE = 5.0
_AGENT_TIMEOUT = 5.0
_QEMU = "{http://libvirt.org/schemas/domain/qemu/1.0}"


def wait_until_ready(
    hypervisor: Hypervisor,
    handle: Handle,
    conditions: Iterable[str],
    deadline: Deadline,
    old_leases: Leases = NO_LEASES,
) -> dict[str, Any]:
    """Wait for each of ``cloud_init``, ``address``, ``agent`` and ``kvmmanager_agent`` that is named.

    Returns ``cloud_init``, a dict, and ``addresses``, a list of dicts, for the former two.

    :param old_leases: those from before the domain started, which say nothing of the guest that runs now.
    :raises Failure: at the deadline, with what is still missing; when the guest stops meanwhile, and when its
        cloud-init ended with an error.
    """
    wanted = set(conditions)
    # First: network and agent come up on the way.
    found = {"cloud_init": _cloud_init(hypervisor, handle, deadline)} if "cloud_init" in wanted else {}
    return {**found, **_address_and_agent(hypervisor, handle, wanted, deadline, old_leases)}


def require_interface(name: str, *domains: Element | None) -> None:
    """Make sure that one of these ``<domain>`` elements has what can get an address.

    Besides network interfaces that may be a device of the host, or one in QEMU's own arguments.

    :raises Failure: where none has.
    """
    possible = ("devices/interface", "devices/hostdev", "devices/redirdev", f"{_QEMU}commandline")
    if not any(domain.find(path) is not None for domain in domains if domain is not None for path in possible):
        raise Failure(
            f"The domain '{name}' has no network interface, so it will not get an address: add one (interfaces), or "
            "do not wait for one."
        )


def _cloud_init(hypervisor: Hypervisor, handle: Handle, deadline: Deadline) -> dict[str, Any]:
    found = wait_for_status(hypervisor, handle.domain, handle.name, PORT, deadline)
    if found.word == "error":
        raise Failure(f"cloud-init in '{handle.name}' ended with an error: {found.report}")
    return {"status": found.word, "report": found.report}


def _address_and_agent(
    hypervisor: Hypervisor, handle: Handle, wanted: set[str], deadline: Deadline, old_leases: Leases
) -> dict[str, Any]:
    pause = _FIRST_LOOK
    with DomainEvents(hypervisor, handle.domain, ("lifecycle", "agent")) as events:
        while True:
            live = _running(hypervisor, handle)
            if "address" in wanted:
                require_interface(handle.name, live)
            agents = connected_agents(live)
            addresses = _addresses(hypervisor, handle, live, agents, old_leases) if "address" in wanted else []
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


def _addresses(
    hypervisor: Hypervisor, handle: Handle, live: Element, agents: list[str], old_leases: Leases
) -> list[dict[str, Any]]:
    found = _leases(hypervisor, handle, live, old_leases)
    if agents:
        # An agent that has just gone is asked again at the next look.
        with contextlib.suppress(Failure):
            found += agent_addresses(hypervisor, handle.domain.UUIDString(), agents, _AGENT_TIMEOUT)
    return _of_domain(live, found)


def _of_domain(live: Element, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The addresses on the domain's interfaces, in the order of those.

    A guest has others, a bridge of containers for example, as soon as it boots. Only where the guest may have a card
    of the host, whose MAC address nobody knows, they count too.
    """
    interfaces = [{"mac": mac} for mac in _macs(live)]
    ordered = in_order_of(interfaces, found)
    if live.find("devices/hostdev") is not None or not interfaces:
        return ordered
    return [address for address in ordered if {"mac": address["mac"]} in interfaces]


def _macs(live: Element) -> list[str]:
    return [mac.get("address", "").lower() for mac in live.iterfind("devices/interface/mac")]


def _leases(hypervisor: Hypervisor, handle: Handle, live: Element, old_leases: Leases) -> list[dict[str, Any]]:
    source = libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE
    try:
        interfaces = hypervisor.call("ask for addresses", handle.domain.interfaceAddresses, source)
    except Failure:
        return []  # a network without leases
    found = interface_addresses("lease", interfaces or {})
    old = {lease[:2] for lease in old_leases}
    if any((address["mac"], address["address"]) in old for address in found):
        old = {lease[:2] for lease in old_leases & finite_leases(hypervisor, live)}
    return [address for address in found if (address["mac"], address["address"]) not in old]


def _what_is_missing(handle: Handle, live: Element, unmet: list[str], deadline: Deadline) -> str:
    allowed = f"within {deadline.seconds:g} seconds (timeout)"
    missing, advice = [], []
    if "agent" in unmet or "kvmmanager_agent" in unmet:
        ports = CHANNELS.values() if "agent" in unmet else [CHANNELS["kvmmanager"]]
        missing.append(f"No guest agent of '{handle.name}' opened its port ({' or '.join(ports)}) {allowed}.")
        advice.append("that the guest has booted and that an agent is installed in it")
    if "address" in unmet:
        missing.append(
            f"The guest of '{handle.name}' got no address {allowed}: neither its network's DHCP leases nor a guest "
            f"agent tell one for its interfaces ({', '.join(_macs(live)) or 'devices of the host'})."
        )
        advice.append("that the guest boots and asks for an address")
    return f"{' '.join(missing)} The domain runs. Check on its console {', and '.join(advice)}."
