# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What counts as a ready guest, whichever agent runs in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.status import Status
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain import readiness
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

OURS = "org.kvmmanager.agent.0"
QEMU = "org.qemu.guest_agent.0"
MACS = ["52:54:00:00:00:01", "52:54:00:00:00:02"]


def address(text: str, mac: str) -> dict[str, Any]:
    return {"address": text, "prefix": 24, "source": "agent", "mac": mac}


ADDRESS = address("10.0.0.1", MACS[0])
CONTAINERS = address("172.17.0.1", "02:42:00:00:00:01")


class Guest:
    """A running domain whose open ports are given for one look after the other."""

    def __init__(self, *looks: list[str], macs: Sequence[str] = (MACS[0],), more: str = "") -> None:
        self.looks = list(looks)
        self.leases: dict[str, Any] = {}
        self.devices = "".join(f"<interface><mac address='{mac.upper()}'/></interface>" for mac in macs) + more

    def XMLDesc(self, flags: int) -> str:
        assert flags == 0  # the live XML, which alone knows who is connected
        ports = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        channels = "".join(f"<channel><target name='{port}' state='connected'/></channel>" for port in ports)
        return f"<domain id='1'><devices>{self.devices}{channels}</devices></domain>"

    def UUIDString(self) -> str:
        return "some-uuid"

    def interfaceAddresses(self, source: int) -> dict[str, Any]:
        return self.leases


class NoEvents:
    """Nothing ever happens; looking again does not wait."""

    def __init__(self, *_args: Any) -> None:
        """Take what the real ones take."""

    def __enter__(self) -> NoEvents:
        return self

    def __exit__(self, *_args: object) -> None:
        """There is nothing to give back."""

    def next(self, _deadline: Deadline) -> None:
        """Return at once."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "DomainEvents", NoEvents)


def wait(hypervisor: Hypervisor, guest: Guest, *conditions: str, seconds: float = 5) -> dict[str, Any]:
    return readiness.wait_until_ready(hypervisor, Handle("web", guest), conditions, Deadline(seconds))


@pytest.mark.parametrize("port", [OURS, QEMU])
def test_either_agent_is_an_agent(hypervisor: Hypervisor, port: str) -> None:
    assert wait(hypervisor, Guest([], [], [port]), "agent") == {}


def test_ours_can_be_waited_for_alone(hypervisor: Hypervisor) -> None:
    guest = Guest([QEMU], [QEMU], [QEMU, OURS])
    assert wait(hypervisor, guest, "kvmmanager_agent") == {}
    assert guest.looks == [[QEMU, OURS]]
    with pytest.raises(Failure, match=f"opened its port \\({OURS}\\) within 0 seconds"):
        wait(hypervisor, Guest([QEMU]), "kvmmanager_agent", seconds=0)


def test_without_an_agent_both_ports_are_named(hypervisor: Hypervisor) -> None:
    with pytest.raises(Failure, match=f"No guest agent of 'web' opened its port \\({OURS} or {QEMU}\\) within 0"):
        wait(hypervisor, Guest([], ["some.other.port"]), "agent", seconds=0)


def test_our_agent_tells_the_address_at_last(hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be busy at first, and a guest may get its address after its agent has started."""
    answers: list[Any] = [Failure("busy"), [], [ADDRESS]]
    asked = []

    def tell(_hypervisor: Hypervisor, uuid: str, agents: list[str], _timeout: float) -> list[dict[str, Any]]:
        asked.append((uuid, agents))
        answer = answers.pop(0)
        if isinstance(answer, Failure):
            raise answer
        return answer

    monkeypatch.setattr(readiness, "agent_addresses", tell)
    assert wait(hypervisor, Guest([], [OURS]), "address") == {"addresses": [ADDRESS]}
    assert asked == [("some-uuid", ["kvmmanager"])] * 3


def told(monkeypatch: pytest.MonkeyPatch, *addresses: dict[str, Any]) -> None:
    monkeypatch.setattr(readiness, "agent_addresses", lambda *_args: list(addresses))


def test_a_bridge_in_the_guest_is_no_address_of_the_domain(
    hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there as soon as the guest has booted, and nobody reaches the guest by it."""
    told(monkeypatch, CONTAINERS)
    with pytest.raises(Failure, match=f"got no address within 0 seconds.*for its interfaces \\({MACS[0]}\\)"):
        wait(hypervisor, Guest([OURS]), "address", seconds=0)
    told(monkeypatch, CONTAINERS, ADDRESS)
    assert wait(hypervisor, Guest([OURS]), "address") == {"addresses": [ADDRESS]}


def test_addresses_come_in_the_order_of_the_interfaces(hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    second = address("10.0.1.1", MACS[1])
    told(monkeypatch, second, ADDRESS)
    assert wait(hypervisor, Guest([OURS], macs=MACS), "address") == {"addresses": [ADDRESS, second]}


@pytest.mark.parametrize("macs", [[], MACS[:1]])
def test_a_card_of_the_host_has_a_mac_that_nobody_knows(
    hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch, macs: list[str]
) -> None:
    unknown = address("192.0.2.1", "00:11:22:33:44:55")
    told(monkeypatch, unknown)
    guest = Guest([OURS], macs=macs, more="<hostdev mode='subsystem' type='pci'/>")
    assert wait(hypervisor, guest, "address") == {"addresses": [unknown]}
    told(monkeypatch)
    with pytest.raises(Failure, match=f"for its interfaces \\({macs[0] if macs else 'devices of the host'}\\)"):
        wait(hypervisor, guest, "address", seconds=0)


def test_a_lease_from_before_the_start_is_none_until_it_is_renewed(
    hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the task goes on while the guest is still booting."""
    guest = Guest([])
    guest.leases = {"vnet0": {"hwaddr": MACS[0], "addrs": [{"addr": "10.0.0.1", "prefix": 24}]}}
    before = (MACS[0], "10.0.0.1", 1000)
    ends = [1000, 1000, 1060]
    monkeypatch.setattr(readiness, "finite_leases", lambda *_args: frozenset({(*before[:2], ends.pop(0))}))
    handle, old = Handle("web", guest), frozenset({before})
    found = readiness.wait_until_ready(hypervisor, handle, ["address"], Deadline(5), old)
    assert [address["address"] for address in found["addresses"]] == ["10.0.0.1"]
    assert ends == []
    assert wait(hypervisor, guest, "address")["addresses"] == found["addresses"]


def test_all_that_is_missing_is_named(hypervisor: Hypervisor) -> None:
    sentence = (
        "No guest agent of 'web' .* The guest of 'web' got no address within .*installed in it, and that the guest"
    )
    with pytest.raises(Failure, match=sentence):
        wait(hypervisor, Guest([]), "address", "agent", seconds=0)


def test_a_guest_without_interface_is_not_waited_for(hypervisor: Hypervisor) -> None:
    deadline = Deadline(30)
    with pytest.raises(Failure, match="has no network interface"):
        readiness.wait_until_ready(hypervisor, Handle("web", Guest([], macs=[])), ["address"], deadline)
    assert (deadline.remaining or 0) > 20


@pytest.mark.parametrize("word", ["done", "degraded", "disabled"])
def test_cloud_init_is_told_with_what_else_is_waited_for(
    hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr(readiness, "wait_for_status", lambda *_args: Status(word, f"status: {word}"))
    found = wait(hypervisor, Guest([OURS]), "cloud_init", "agent")
    assert found == {"cloud_init": {"status": word, "report": f"status: {word}"}}


def test_an_error_of_cloud_init_is_an_error(hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "wait_for_status", lambda *_args: Status("error", "status: error"))
    with pytest.raises(Failure, match="cloud-init in 'web' ended with an error: status: error"):
        wait(hypervisor, Guest([OURS]), "cloud_init")
