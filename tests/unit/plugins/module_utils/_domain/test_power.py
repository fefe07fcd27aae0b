# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a start asks libvirt for, and calls that do not come back."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from typing import Any

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain import power
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.power import (
    Power,
    cut_power,
    plan_start,
    shut_down,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan
from tests.unit.plugins.module_utils._domain.examples import define

POWER = Power(Deadline(30), force=False)


class Starts:
    """A domain that remembers with which flags it was started; the test driver knows only some."""

    def __init__(self, saved: int = libvirt.VIR_DOMAIN_RUNNING) -> None:
        self.flags: list[int] = []
        self.now = saved

    def createWithFlags(self, flags: int) -> None:
        self.flags.append(flags)

    def state(self, _flags: int) -> list[int]:
        return [self.now, 0]

    def resume(self) -> None:
        self.now = libvirt.VIR_DOMAIN_RUNNING


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({}, 0),
        ({"paused": True}, libvirt.VIR_DOMAIN_START_PAUSED),
        ({"afresh": True}, libvirt.VIR_DOMAIN_START_FORCE_BOOT),
    ],
)
def test_flags_of_a_start(hypervisor: Hypervisor, options: dict[str, Any], flags: int) -> None:
    domain, plan = Starts(), Plan()
    plan_start(plan, Handle("web1", domain), POWER, **options)
    plan.apply(hypervisor)
    assert domain.flags == [flags]


@pytest.mark.parametrize("paused", [False, True])
def test_what_was_saved_while_paused_runs_where_that_is_asked_for(hypervisor: Hypervisor, paused: bool) -> None:
    domain, plan = Starts(libvirt.VIR_DOMAIN_PAUSED), Plan()
    plan_start(plan, Handle("web1", domain), POWER, paused=paused)
    plan.apply(hypervisor)
    assert domain.now == (libvirt.VIR_DOMAIN_PAUSED if paused else libvirt.VIR_DOMAIN_RUNNING)


class Hangs:
    """A running domain of the test driver whose calls never come back, as with a guest agent that hangs."""

    def __init__(self, domain: Any) -> None:
        self.domain = domain
        self._o = domain._o
        self._conn = domain._conn
        self.asked: list[str] = []
        self.released = threading.Event()

    def state(self, flags: int) -> list[int]:
        return self.domain.state(flags)

    def destroy(self) -> None:
        self.asked.append("destroy")
        self.domain.destroy()

    def shutdown(self) -> None:
        self.asked.append("shutdown")
        self.released.wait(60)

    def createWithFlags(self, _flags: int) -> None:
        self.released.wait(60)


@pytest.fixture
def hanging(hypervisor: Hypervisor) -> Iterator[Hangs]:
    domain = define(hypervisor, "web1")
    domain.create()
    guest = Hangs(domain)
    yield guest
    guest.released.set()


def test_an_agent_that_hangs_does_not_hold_up_the_task(
    hypervisor: Hypervisor, hanging: Hangs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power, "_LEAST_FOR_SHUTDOWN", 0.05)
    with pytest.raises(Failure, match="'web1' did not shut down within 0.2 seconds.*through its agent.*force=true"):
        shut_down(hypervisor, Handle("web1", hanging), Power(Deadline(0.2), force=False))
    shut_down(hypervisor, Handle("web1", hanging), Power(Deadline(0.1), force=True))
    assert hanging.asked[-1] == "destroy"


def test_a_start_that_hangs_ends_at_the_deadline(hypervisor: Hypervisor, hanging: Hangs) -> None:
    hypervisor.options = dataclasses.replace(hypervisor.options, call_timeout=0.5)
    plan = Plan()
    plan_start(plan, Handle("web1", hanging), Power(Deadline(0), force=False))
    with pytest.raises(Failure, match="Cannot start the domain 'web1': .* did not answer within 0.5 seconds"):
        plan.apply(hypervisor)


def test_cutting_the_power_of_what_has_stopped_is_fine(hypervisor: Hypervisor, hanging: Hangs) -> None:
    hanging.domain.destroy()
    cut_power(hypervisor, Handle("web1", hanging), POWER)
    assert hanging.asked == []
