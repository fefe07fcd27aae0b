# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks and leases as network_info returns them."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.info import collect, describe_lease
from tests.unit.plugins.module_utils._network.examples import BRIDGE, LIVE, STORED

LEASE = {
    "iface": "virbr1",
    "expirytime": 1795431600,
    "type": 0,
    "mac": "52:54:00:aa:00:01",
    "iaid": None,
    "ipaddr": "10.91.1.5",
    "prefix": 24,
    "hostname": "x" * 1000,
    "clientid": None,
}


class Network:
    """A ``virNetwork``."""

    def __init__(self, name: str, stored: str, live: str | None = None) -> None:
        self._name, self._stored, self._live = name, stored, live

    def name(self) -> str:
        return self._name

    def UUIDString(self) -> str:
        return "899ee747-8323-4ba8-98f9-a643d8b2a509"

    def isActive(self) -> int:
        return int(self._live is not None)

    def isPersistent(self) -> int:
        return 1

    def autostart(self) -> int:
        return 1

    def XMLDesc(self, flags: int) -> str:
        text = self._stored if flags else self._live
        assert text is not None, "an inactive network was asked for its live XML"
        return text

    def listAllPorts(self, _flags: int) -> list[str]:
        return ["a port", "another"]

    def DHCPLeases(self) -> list[dict[str, Any]]:
        assert self._live is not None, "an inactive network was asked for leases"
        return [LEASE]


class FakeHypervisor:
    """Calls the function."""

    def __init__(self, *networks: Network) -> None:
        self.connection = self
        self._networks = networks

    def listAllNetworks(self, _flags: int) -> list[Network]:
        return list(self._networks)

    def networkLookupByName(self, name: str) -> Network | None:
        return next((network for network in self._networks if network.name() == name), None)

    def call(self, _doing: str, function: Any, *args: Any) -> Any:
        return function(*args)

    find = call


def test_networks_are_sorted_and_tell_where_they_drifted() -> None:
    drifted = LIVE.replace("<mac ", "<mtu size='1400'/><mac ")
    hypervisor: Any = FakeHypervisor(Network("lab", STORED, drifted), Network("br", BRIDGE))
    networks = collect({"name": None, "leases": False}, hypervisor)["networks"]
    assert [network["name"] for network in networks] == ["br", "lab"]
    assert networks[0] == {
        "name": "br",
        "uuid": "899ee747-8323-4ba8-98f9-a643d8b2a509",
        "state": "stopped",
        "persistent": True,
        "autostart": True,
        "mode": "bridge",
        "bridge": "br0",
        "mac": None,
        "connections": 0,
        "drift": [],
    }
    assert networks[1]["state"] == "started"
    # Not from the XML: libvirt 9.0 loses its count with the first virNetworkUpdate.
    assert networks[1]["connections"] == 2
    assert networks[1]["drift"] == [{"path": "mtu", "stored": None, "live": 1400}]


def test_leases_come_when_asked_for_and_from_active_networks_only() -> None:
    hypervisor: Any = FakeHypervisor(Network("lab", STORED, LIVE), Network("br", BRIDGE))
    networks = collect({"name": None, "leases": True}, hypervisor)["networks"]
    assert [len(network["leases"]) for network in networks] == [0, 1]


def test_a_name_that_is_not_there_gives_an_empty_list() -> None:
    hypervisor: Any = FakeHypervisor(Network("lab", STORED))
    assert collect({"name": "other", "leases": False}, hypervisor) == {"networks": []}
    assert len(collect({"name": "lab", "leases": False}, hypervisor)["networks"]) == 1


def test_what_a_guest_says_of_itself_is_bounded() -> None:
    lease = describe_lease(LEASE)
    assert lease["hostname"] == "x" * 255
    assert lease["client_id"] is None
    assert lease["expires"] == "2026-11-23T11:00:00Z"
