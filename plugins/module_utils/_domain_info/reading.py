# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading many domains of one hypervisor in few round trips.

Beyond opening the connection it takes one call for the list with its states, one for the host's name, one for the
list of networks and one a network for its leases, and one a domain for its XML. Those of networks and domains are
made at once, from many threads. Only a guest agent or the ARP table, where asked for, cost more: they are asked
for the domains that have no address yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline, TimedOut, call_within
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.guest_agent import connected_agents
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.states import state_word
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.addresses import (
    in_order_of,
    interface_addresses,
    lease_addresses,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.agents import agent_addresses
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.reasons import reason_word
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.summary import summarize
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import (
    Failure,
    error_code,
    explain,
    is_not_found,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._parallel import (
    THREADS,
    Outcome,
    call_each,
    call_together,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._uri import is_local
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, glance, parse

Addresses = list[dict[str, Any]]
_LOCAL_THREADS = 4
_ASKED = {"agent": "the guest agent of", "arp": "the ARP table of the host of"}


@dataclass
class Found:
    """One domain that was read.

    :ivar domain: the ``libvirt.virDomain``.
    :ivar statistics: the answer of the bulk call, libvirt's names (``state.state``, ``block.0.name`` …).
    :ivar xml: what it runs with, or its stored configuration while it is stopped; where the request asks for `stored`.
    :ivar stored: its stored configuration, where the request asks for it.
    :ivar agents: see `connected_agents`.
    :ivar facts: plain data: `summarize`, and ``addresses``.
    """

    domain: Any
    name: str
    uuid: str
    id: int
    state: str
    reason: str
    statistics: dict[str, Any]
    xml: Element | None = None
    stored: Element | None = None
    agents: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Whether a process runs it."""
        return self.id != -1


@dataclass(frozen=True)
class Request:
    """What is to be read.

    :ivar wanted: whether a domain is to be read further, by what the list tells: name, uuid, state.
    :ivar chosen: whether it is still wanted now that its facts, but not its addresses, are known.
    :ivar stored: whether to read the stored configuration of running domains too, at one call each.
    :ivar statistics: the VIR_DOMAIN_STATS_* groups besides the state.
    :ivar sources: where addresses may come from, in the order in which they are asked; see `addresses.SOURCES`.
    :ivar enough: whether a domain needs no further source, given its facts with the addresses so far.
    :ivar agent_timeout: seconds that all guest agents of the host have together; they are asked at once.
    """

    wanted: Callable[[Found], bool] = lambda _found: True
    chosen: Callable[[Found], bool] = lambda _found: True
    stored: bool = False
    statistics: int = 0
    sources: tuple[str, ...] = ("lease", "agent")
    enough: Callable[[dict[str, Any]], bool] = lambda facts: bool(facts["addresses"])
    agent_timeout: float = 3


class Reader:
    """Reads the domains of one hypervisor.

    :ivar problems: sentences about what could not be read although it should have been.
    :ivar notes: sentences about guests that did not answer, which is no problem of the hypervisor.
    """

    def __init__(self, hypervisor: Hypervisor, request: Request, deadline: Deadline) -> None:
        self.hypervisor = hypervisor
        self.connection = hypervisor.connection
        self.request = request
        self.deadline = deadline
        # Where no link is between, many threads would only pass Python's lock to each other.
        self.threads = _LOCAL_THREADS if is_local(hypervisor.uri) else THREADS
        self.problems: list[str] = []
        self.notes: list[str] = []

    def read(self) -> tuple[str, list[Found]]:
        """The name of the host, and its wanted domains in the order of their names.

        :raises Failure: when the host does not tell its domains.
        """
        # Each of them keeps to the deadline, so that what one of them has in time is not lost.
        hostname, domains, leases = call_together(
            [lambda: self._call(self.connection.getHostname), self._domains, self._leases], Deadline(None)
        )
        found = self._required(f"list the domains of {self.hypervisor.uri}", domains)
        self._add_addresses(found, self._optional("read the leases", leases, {}))
        return self._optional("read the name of the host", hostname, ""), found

    def _domains(self) -> list[Found]:
        described = [item for item in self._described(self._listed()) if self.request.chosen(item)]
        if self.request.stored:
            self._add_stored(described)
        return sorted(described, key=lambda item: item.name)

    def _listed(self) -> list[Found]:
        """The wanted ones, with what the list of all domains tells."""
        listed = self._call(
            self.connection.getAllDomainStats,
            libvirt.VIR_DOMAIN_STATS_STATE | self.request.statistics,
            libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT,  # else one busy domain holds up all
        )
        return [item for item in map(_found, listed) if self.request.wanted(item)]

    def _described(self, found: list[Found]) -> Iterator[Found]:
        """Those that still exist, with what their XML tells."""
        # The trees of thousands of domains are much to keep, and to make more of than a glance.
        read = parse if self.request.stored else glance

        def describe(text: str) -> tuple[Element | None, tuple[str, ...], dict[str, Any]]:
            xml = read(text)
            facts = summarize(xml)
            facts["addresses"] = []
            agents = tuple(connected_agents(xml)) if facts["agent_connected"] else ()
            return xml if self.request.stored else None, agents, facts

        for item, told in self._existing(found, 0, describe):
            item.xml, item.agents, item.facts = told
            yield item

    def _add_stored(self, found: list[Found]) -> None:
        for item in found:
            item.stored = item.xml
        active = [item for item in found if item.active]
        for item, xml in self._existing(active, libvirt.VIR_DOMAIN_XML_INACTIVE, parse):
            item.stored = xml

    def _existing(self, found: list[Found], flags: int, digest: Callable[[str], Any]) -> Iterator[tuple[Found, Any]]:
        """What ``digest`` makes of the XML of each domain that still exists."""
        # The threads do nothing but wait for answers: parsing holds Python's lock, and they would queue for it.
        texts = call_each(lambda item: item.domain.XMLDesc(flags), found, self.deadline, self.threads)
        for item, outcome in zip(found, (text.then(digest) for text in texts)):
            if outcome.error is None:
                yield item, outcome.value
            elif not is_not_found(outcome.error):  # else it was undefined since it was listed: it is gone
                self.problems.append(_sentence(f"read the domain '{item.name}'", outcome.error))

    def _leases(self) -> dict[str, Addresses]:
        """The leases of all active networks by MAC, where they are asked for."""
        if "lease" not in self.request.sources:
            return {}
        try:
            networks = self._call(self.connection.listAllNetworks, libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE)
        except libvirt.libvirtError as error:
            if _is_unsupported(error):
                return {}
            raise
        outcomes = call_each(lambda network: network.DHCPLeases(None, 0), networks, self.deadline)
        by_mac: dict[str, Addresses] = {}
        for network, outcome in zip(networks, outcomes):
            name = network.name()
            for address in lease_addresses(name, self._optional(f"read the leases of network '{name}'", outcome, ())):
                by_mac.setdefault(address["mac"], []).append(address)
        return by_mac

    def _add_addresses(self, found: list[Found], leases: dict[str, Addresses]) -> None:
        running = [item for item in found if item.active]
        for source in self.request.sources:
            asked = [item for item in running if not self.request.enough(item.facts)]
            if source == "lease":
                for item in asked:
                    for interface in item.facts["interfaces"]:
                        item.facts["addresses"] += _leased(interface, leases)
            elif source == "agent":
                self._ask(source, [item for item in asked if item.state == "running" and item.facts["agent_connected"]])
            else:
                self._ask(source, asked)

    def _ask(self, source: str, asked: list[Found]) -> None:
        """Ask the guest agents, or the host's ARP table, for the addresses of these domains."""
        seconds = self.deadline.remaining
        if source == "agent":
            seconds = min(self.request.agent_timeout, seconds if seconds is not None else self.request.agent_timeout)
        ask = self._ask_agent if source == "agent" else self._ask_arp
        for item, outcome in zip(asked, call_each(ask, asked, Deadline(seconds))):
            if outcome.error is None:
                item.facts["addresses"] += in_order_of(item.facts["interfaces"], outcome.value)
            elif not is_not_found(outcome.error):
                self.notes.append(_sentence(f"ask {_ASKED[source]} '{item.name}' for its addresses", outcome.error))

    def _ask_agent(self, found: Found) -> Addresses:
        return agent_addresses(self.hypervisor, found.uuid, found.agents, self.request.agent_timeout)

    @staticmethod
    def _ask_arp(found: Found) -> Addresses:
        source = libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP
        return interface_addresses("arp", found.domain.interfaceAddresses(source, 0) or {})

    def _call(self, function: Callable[..., Any], *args: Any) -> Any:
        return call_within(self.deadline.remaining, function, *args)

    def _optional(self, doing: str, outcome: Outcome, default: Any) -> Any:
        """The value; without one the default, and a problem unless the driver simply has no such call."""
        if outcome.error is None:
            return outcome.value
        if not _is_unsupported(outcome.error):
            self.problems.append(_sentence(doing, outcome.error))
        return default

    @staticmethod
    def _required(doing: str, outcome: Outcome) -> Any:
        if outcome.error is not None:
            raise Failure(_sentence(doing, outcome.error))
        return outcome.value


def _found(listed: tuple[Any, dict[str, Any]]) -> Found:
    domain, statistics = listed
    state, reason = statistics.get("state.state", 0), statistics.get("state.reason", 0)
    return Found(
        domain=domain,
        name=domain.name(),  # name, uuid and ID came with the list: no call
        uuid=domain.UUIDString(),
        id=domain.ID(),
        state=state_word(state),
        reason=reason_word(state, reason),
        statistics=statistics,
    )


def _leased(interface: dict[str, str], leases: dict[str, Addresses]) -> Addresses:
    """Its leases: an interface on a network of libvirt has none of another one, where it may have been before."""
    found = leases.get(interface["mac"], [])
    if interface["type"] != "network":
        return found
    return [address for address in found if address["network"] == interface["source"]]


def _is_unsupported(error: Exception) -> bool:
    return error_code(error) == libvirt.VIR_ERR_NO_SUPPORT


def _sentence(doing: str, error: Exception) -> str:
    if isinstance(error, TimedOut):
        return f"Cannot {doing}: no answer in time."
    if isinstance(error, libvirt.libvirtError):
        return explain(doing, error).message
    return error.message if isinstance(error, Failure) else f"Cannot {doing}: {error}."
