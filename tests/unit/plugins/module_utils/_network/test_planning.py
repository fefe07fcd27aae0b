# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task does to a network that exists, and where that leads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.lookup import Current, report
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.patch import patched
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.planning import (
    Outcome,
    Wishes,
    changes,
    disconnected,
    outcome,
    outcome_of_new,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Impact
from tests.unit.plugins.module_utils._network.examples import LIVE, ip, network

NEW_HOST = {"mac": "52:54:00:aa:00:02", "ip": "10.91.1.6"}
HOST_AND_MTU = {"mtu": 1400, "ips": [ip({"hosts": [NEW_HOST]})]}


def wishes(state: str = "started", apply: str = "auto", allow_restart: bool = False) -> Wishes:
    return Wishes(state, None, apply, allow_restart)


def current(live: str | None = LIVE, persistent: bool = True) -> Current:
    return Current("lab", "899ee747", network(), network(live) if live else None, persistent, False)


def decide(options: dict[str, Any], asked: Wishes, now: Current | None = None) -> Outcome:
    now = now or current()
    stored = now.stored if asked.apply == "live" else patched(now.stored, options, [])
    return outcome(now, stored, None if now.live is None else patched(now.live, options, []), asked)


def test_nothing_to_change() -> None:
    found = decide({"mode": "nat"}, wishes())
    assert (found.define, found.updates, found.waiting, found.stop, found.start) == (False, [], [], False, False)
    assert changes(current(), found) == []


def test_an_active_network_takes_what_it_can_and_the_rest_waits() -> None:
    found = decide(HOST_AND_MTU, wishes())
    assert found.define
    assert [update.summary for update in found.updates] == [
        "add the ip dhcp host 52:54:00:aa:00:02 of the active network"
    ]
    assert [(change.path, change.impact) for change in found.waiting] == [("mtu", Impact.NEXT_BOOT)]
    assert [(change.path, change.impact) for change in changes(current(), found)] == [
        ("mtu", Impact.NEXT_BOOT),
        ("ips[10.91.1.1/24].dhcp.hosts[52:54:00:aa:00:02].ip", Impact.LIVE),
    ]


def test_what_waits_is_reported_again_by_a_task_that_changes_nothing() -> None:
    now = Current("lab", None, patched(network(), {"mtu": 1400}, []), network(LIVE), True, False)
    found = decide({"mtu": 1400}, wishes(), now)
    assert not found.define
    assert [change.path for change in found.waiting] == ["mtu"]
    assert changes(now, found) == []
    assert report(found.after)["drift"] == [{"path": "mtu", "stored": 1400, "live": None}]


def test_drift_of_the_active_network_is_mended() -> None:
    drifted = current(LIVE.replace("<host mac='52:54:00:AA:00:01' name='x' ip='10.91.1.5'/>", ""))
    host = {"mac": "52:54:00:aa:00:01", "ip": "10.91.1.5"}
    found = decide({"ips": [ip({"hosts": [host]})]}, wishes(), drifted)
    assert not found.define
    assert [update.command for update in found.updates] == ["ADD_LAST"]
    assert [change.path for change in changes(drifted, found)] == [
        "live.ips[10.91.1.1/24].dhcp.hosts[52:54:00:aa:00:01].ip"
    ]


def test_a_restart_takes_the_place_of_updates_when_it_is_allowed_and_needed() -> None:
    found = decide(HOST_AND_MTU, wishes(allow_restart=True))
    assert (found.define, found.updates, found.waiting, found.stop, found.start) == (True, [], [], True, True)
    assert report(found.after)["drift"] == []
    only_host = decide({"ips": HOST_AND_MTU["ips"]}, wishes(allow_restart=True))
    assert not only_host.stop, "a change that libvirt can make does not cut off the guests"


def test_an_address_without_dhcp_waits_is_shown_and_is_reached_by_a_restart() -> None:
    options = {"ips": [{"address": "fd00:92::1/64"}]}
    found = decide(options, wishes())
    assert [change.path for change in found.waiting] == ["ips[fd00:92::1/64]"]
    assert [(change.path, change.impact) for change in changes(current(), found)] == [
        ("ips[fd00:92::1/64]", Impact.NEXT_BOOT)
    ]
    assert [entry["path"] for entry in report(found.after)["drift"]] == ["ips[fd00:92::1/64]"]
    assert decide(options, wishes(allow_restart=True)).stop
    with pytest.raises(Failure, match="cannot take the whole change: ips.fd00:92::1/64.. Nothing was changed"):
        decide(options, wishes(apply="live"))
    new = outcome_of_new("new", network(), None, wishes())
    assert "ips[fd00:91::1/64]" in [change.path for change in changes(None, new)]


def test_only_the_stored_configuration() -> None:
    found = decide(HOST_AND_MTU, wishes(apply="config"))
    assert found.define
    assert found.updates == []
    assert {change.path for change in found.waiting} == {
        "mtu",
        "ips[10.91.1.1/24].dhcp.hosts[52:54:00:aa:00:02].ip",
    }
    assert "apply=config" in found.waiting[0].reason


def test_only_the_active_network() -> None:
    found = decide({"ips": HOST_AND_MTU["ips"]}, wishes(apply="live"))
    assert not found.define
    assert len(found.updates) == 1
    assert [change.path for change in changes(current(), found)] == [
        "live.ips[10.91.1.1/24].dhcp.hosts[52:54:00:aa:00:02].ip"
    ]


def test_only_the_active_network_or_nothing() -> None:
    with pytest.raises(Failure, match="cannot take the whole change: mtu. Nothing was changed"):
        decide(HOST_AND_MTU, wishes(apply="live"))
    for now in (current(live=None), current()):
        state = "started" if now.live is None else "stopped"
        with pytest.raises(Failure, match="apply=live changes an active network only"):
            decide({}, wishes(state, apply="live"), now)
    with pytest.raises(Failure, match="there is no network 'new'"):
        outcome_of_new("new", network(), None, wishes(apply="live"))


def test_a_network_that_stops_is_not_updated() -> None:
    found = decide(HOST_AND_MTU, wishes("stopped"))
    assert (found.define, found.updates, found.waiting, found.stop, found.start) == (True, [], [], True, False)
    assert found.after.state == "stopped"


def test_a_transient_network_is_stored() -> None:
    found = decide({}, wishes(), current(persistent=False))
    assert found.define
    assert [(change.path, change.after) for change in changes(current(persistent=False), found)] == [
        ("persistent", True)
    ]


def test_guests_that_lose_their_connection_are_warned_of() -> None:
    busy = replace(current(), connections=2)
    warned = disconnected(busy, decide(HOST_AND_MTU, wishes(allow_restart=True), busy))
    assert "disconnects 2 network card(s)" in warned[0]
    assert disconnected(busy, None) == warned
    assert report(decide(HOST_AND_MTU, wishes(allow_restart=True), busy).after)["connections"] == 0
    assert disconnected(busy, decide(HOST_AND_MTU, wishes(), busy)) == []
    assert disconnected(current(), None) == []
