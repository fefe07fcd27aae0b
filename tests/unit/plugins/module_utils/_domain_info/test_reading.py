# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading many domains in few calls, whatever some of them do."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import guest
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.reading import Found, Reader, Request
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

LEASE = {"ipaddr": "10.0.0.1", "mac": "52:54:00:00:00:01", "prefix": 24, "expirytime": 1, "hostname": None}


def error(code: int, text: str = "broken") -> libvirt.libvirtError:
    made = libvirt.libvirtError(text)
    made.err = (code, 0, text, 0, "", None, None, 0, 0)
    return made


class Host:
    """A connection that counts its calls; attributes of a class say how domains and networks behave."""

    uri = "test"

    def __init__(self, domains: list[Domain], networks: list[Network] | None = None) -> None:
        self.domains = domains
        self.networks = networks or []
        self.calls: Counter[str] = Counter()
        self.lock = threading.Lock()
        things: list[Any] = [*self.domains, *self.networks]
        for thing in things:
            thing.host = self
        self.connection = self
        self.privileged = self

    def count(self, call: str) -> None:
        with self.lock:
            self.calls[call] += 1

    def getHostname(self) -> str:
        self.count("getHostname")
        return "kvm1"

    def getAllDomainStats(self, groups: int, flags: int) -> list[Any]:
        assert flags == libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
        self.count("getAllDomainStats")
        return [(domain, {"state.state": 1 if domain.number else 5, "state.reason": 1}) for domain in self.domains]

    def listAllNetworks(self, flags: int) -> list[Network]:
        self.count("listAllNetworks")
        return self.networks

    def interface_addresses(self, uuid: str, source: int) -> dict[str, Any]:
        """As of PrivilegedReads."""
        self.count("agent")
        return next(domain for domain in self.domains if domain.UUIDString() == uuid).ask_agent()


class Domain:
    """A domain with one interface; running when it has a number."""

    port = "org.qemu.guest_agent.0"
    kind = "network"
    source = "<source network='lan'/>"

    def __init__(self, name: str, number: int = 0, agent: bool = False) -> None:
        self._name, self.number, self.agent = name, number, agent
        self.host: Any = None

    def name(self) -> str:
        return self._name

    def UUIDString(self) -> str:
        return f"uuid-of-{self._name}"

    def ID(self) -> int:
        return self.number or -1

    def XMLDesc(self, flags: int) -> str:
        self.host.count("XMLDesc")
        state = "connected" if self.agent else "disconnected"
        return (
            "<domain type='kvm'><devices>"
            f"<interface type='{self.kind}'><mac address='52:54:00:00:00:{self.number:02x}'/>{self.source}</interface>"
            f"<channel><target type='virtio' name='{self.port}' state='{state}'/></channel>"
            "</devices></domain>"
        )

    def ask_agent(self) -> dict[str, Any]:
        return {"eth0": {"hwaddr": f"52:54:00:00:00:{self.number:02x}", "addrs": [{"addr": "10.0.0.2", "prefix": 8}]}}

    def interfaceAddresses(self, source: int, flags: int) -> dict[str, Any]:
        assert source == libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP
        self.host.count("arp")
        return {"vnet0": {"hwaddr": "52:54:00:00:00:01", "addrs": [{"addr": "10.0.0.3", "prefix": 0}]}}


class Network:
    """A network with one lease."""

    host: Any = None

    def name(self) -> str:
        return "lan"

    def DHCPLeases(self, mac: None, flags: int) -> list[dict[str, Any]]:
        self.host.count("DHCPLeases")
        return [LEASE]


def read(host: Any, seconds: float = 5, **request: Any) -> tuple[Reader, list[Found]]:
    reader = Reader(host, Request(**request), Deadline(seconds))
    return reader, reader.read()[1]


def addresses(found: Found) -> list[tuple[str, str]]:
    return [(address["source"], address["address"]) for address in found.facts["addresses"]]


def test_it_takes_three_calls_and_one_a_domain_and_one_a_network() -> None:
    host = Host([Domain(f"vm{number}") for number in range(50)], [Network(), Network()])
    reader, found = read(host)
    assert len(found) == 50
    assert host.calls == {
        "getHostname": 1, "getAllDomainStats": 1, "listAllNetworks": 1, "XMLDesc": 50, "DHCPLeases": 2,
    }  # fmt: skip
    assert reader.problems == reader.notes == []


def test_what_is_not_wanted_is_not_read_further() -> None:
    host = Host([Domain("on", 1), Domain("off")])
    _reader, found = read(host, wanted=lambda item: item.state == "running", sources=())
    assert [item.name for item in found] == ["on"]
    assert host.calls["XMLDesc"] == 1
    assert host.calls["listAllNetworks"] == 0


def test_a_later_source_is_asked_only_where_no_address_is_known() -> None:
    host = Host([Domain("leased", 1, agent=True), Domain("bridged", 2, agent=True), Domain("mute", 3)], [Network()])
    _reader, found = read(host, sources=("lease", "agent"))
    assert {item.name: addresses(item) for item in found} == {
        "leased": [("lease", "10.0.0.1")],
        "bridged": [("agent", "10.0.0.2")],
        "mute": [],
    }
    assert host.calls["agent"] == 1


def test_an_interface_has_no_lease_of_a_network_that_it_is_not_on() -> None:
    moved, bridged = Domain("moved", 1), Domain("bridged", 1)
    moved.source = "<source network='other'/>"
    bridged.kind, bridged.source = "bridge", "<source bridge='virbr0'/>"
    _reader, found = read(Host([moved, bridged], [Network()]))
    assert {item.name: addresses(item) for item in found} == {"moved": [], "bridged": [("lease", "10.0.0.1")]}


def test_all_sources_are_asked_where_nothing_is_enough() -> None:
    host = Host([Domain("web", 1, agent=True)], [Network()])
    _reader, found = read(host, sources=("arp", "agent", "lease"), enough=lambda _facts: False)
    assert addresses(found[0]) == [("arp", "10.0.0.3"), ("agent", "10.0.0.2"), ("lease", "10.0.0.1")]


def test_the_agent_of_a_paused_domain_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def paused(self: Host, groups: int, flags: int) -> list[Any]:
        return [(domain, {"state.state": libvirt.VIR_DOMAIN_PAUSED}) for domain in self.domains]

    monkeypatch.setattr(Host, "getAllDomainStats", paused)
    host = Host([Domain("asleep", 1, agent=True)])
    assert read(host)[1][0].state == "paused"
    assert host.calls["agent"] == 0


def test_our_agent_is_asked_where_it_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within agent_timeout, with the connection of the inventory; what it says is not trusted."""
    asked: list[tuple[Any, ...]] = []

    class Answering:
        def info(self, topic: str) -> dict[str, Any]:
            assert topic == "network"
            said = [{"address": "10.0.0.2", "prefix": 8}, {"address": "{{ 1 + 1 }}"}]
            return {"interfaces": [{"name": "eth0", "mac": "52:54:00:00:00:01", "addresses": said}]}

    @contextlib.contextmanager
    def open_guest(hypervisor: Any, domain: str, agent: str, timeout: float) -> Iterator[Answering]:
        asked.append((hypervisor, domain, agent, timeout))
        yield Answering()

    monkeypatch.setattr(guest, "open_guest", open_guest)
    ours = Domain("ours", 1, agent=True)
    ours.port = "org.kvmmanager.agent.0"
    host = Host([ours])
    _reader, (found,) = read(host, sources=("agent",), agent_timeout=2)
    assert addresses(found) == [("agent", "10.0.0.2")]
    assert (found.facts["agent"], found.facts["agent_connected"]) == ("kvmmanager", True)
    assert asked == [(host, "uuid-of-ours", "kvmmanager", 2)]
    assert host.calls["agent"] == 0


def test_a_hung_agent_delays_by_its_own_timeout_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(self: Domain) -> dict[str, Any]:
        if self.name() == "hung":
            time.sleep(5)
        return {"eth0": {"hwaddr": "x", "addrs": [{"addr": "10.0.0.2", "prefix": 8}]}}

    monkeypatch.setattr(Domain, "ask_agent", ask)
    host = Host([Domain("hung", 1, agent=True), Domain("well", 2, agent=True)])
    start = time.monotonic()
    reader, found = read(host, agent_timeout=1)
    assert time.monotonic() - start < 4
    assert {item.name: len(item.facts["addresses"]) for item in found} == {"hung": 0, "well": 1}
    assert reader.notes == ["Cannot ask the guest agent of 'hung' for its addresses: no answer in time."]
    assert reader.problems == []


def test_a_domain_that_hangs_is_a_problem_and_the_others_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    described = Domain.XMLDesc

    def describe(self: Domain, flags: int) -> str:
        if self.name() == "hung":
            time.sleep(5)
        return described(self, flags)

    monkeypatch.setattr(Domain, "XMLDesc", describe)
    reader, found = read(Host([Domain("hung"), Domain("well")]), seconds=1)
    assert [item.name for item in found] == ["well"]
    assert reader.problems == ["Cannot read the domain 'hung': no answer in time."]


def test_a_domain_that_has_just_been_removed_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(self: Domain, flags: int) -> str:
        raise error(libvirt.VIR_ERR_NO_DOMAIN)

    monkeypatch.setattr(Domain, "XMLDesc", gone)
    reader, found = read(Host([Domain("gone")]))
    assert found == []
    assert reader.problems == []


def test_a_driver_without_networks_is_no_problem_but_a_broken_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(code: int) -> Any:
        def raises(_self: Host, _flags: int) -> list[Network]:
            raise error(code)

        return raises

    monkeypatch.setattr(Host, "listAllNetworks", fail(libvirt.VIR_ERR_NO_SUPPORT))
    assert read(Host([Domain("web", 1)]))[0].problems == []
    monkeypatch.setattr(Host, "listAllNetworks", fail(libvirt.VIR_ERR_INTERNAL_ERROR))
    reader, found = read(Host([Domain("web", 1)]))
    assert [item.name for item in found] == ["web"]
    assert reader.problems == ["Cannot read the leases: broken."]


def test_a_host_that_does_not_tell_its_domains_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Host, groups: int, flags: int) -> list[Any]:
        raise error(libvirt.VIR_ERR_ACCESS_DENIED, "access denied")

    monkeypatch.setattr(Host, "getAllDomainStats", refuse)
    with pytest.raises(Failure, match="Cannot list the domains of test: access denied"):
        read(Host([]))
