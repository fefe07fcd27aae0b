# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a task to a plan."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.lookup import Current
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.patch import patched
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.resource import Network
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan
from tests.unit.plugins.module_utils._network.examples import LIVE, network, params


class FakeHypervisor:
    """A host on which nothing exists and nothing can be looked up."""

    uri = "qemu:///system"
    read_only = False
    connection: Any = None


def plan_for(current: Current | None, **options: Any) -> Plan:
    hypervisor: Any = FakeHypervisor()
    return Network(params(name="lab", **options), hypervisor).plan(current)


def current(live: str = LIVE) -> Current:
    return Current("lab", "899ee747", network(), network(live), True, False)


def test_actions_come_in_an_order_that_stores_before_it_touches_the_active_network() -> None:
    plan = plan_for(current(), mtu=1400, dns={"txt": [{"name": "x", "value": "y"}]}, allow_restart=True, autostart=True)
    assert [action.summary for action in plan.actions] == [
        "store the changed configuration",
        "stop the network",
        "start the network",
        "switch autostart on",
    ]


def test_removal_stops_first() -> None:
    assert [action.summary for action in plan_for(current(), state="absent").actions] == [
        "stop the network",
        "undefine the network",
    ]
    assert not plan_for(None, state="absent").changed


def test_options_of_a_mode_that_still_waits_for_its_start_are_no_error() -> None:
    isolated = patched(network(), {"mode": "isolated"}, [])
    waiting = Current("lab", "899ee747", network(), isolated, True, False)
    plan = plan_for(waiting, nat={"port": {"start": 2000, "end": 3000}})
    assert plan.changed
    assert plan.result["restart_required"]
    assert [reason["path"] for reason in plan.result["restart_reasons"]][0] == "mode"
    with pytest.raises(Failure, match="nat: this needs mode=nat"):
        plan_for(waiting, nat={"port": {"start": 2000, "end": 3000}}, apply="live")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"xml": "<network><name>other</name></network>"}, "The option xml has the name other, the option name is lab"),
        ({"allow_restart": True, "apply": "live"}, "allow_restart=true needs apply=auto"),
        ({"ips": [], "mode": "bridge", "bridge": "br0"}, "ips: a network with mode=bridge"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        plan_for(current(), **options)
