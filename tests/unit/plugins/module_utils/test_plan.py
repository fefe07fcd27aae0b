# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans: what is shown, what is applied, and what is said when it breaks in the middle."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, Plan, differences, render_diff
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._units import Size

NO_HYPERVISOR: Any = None


def test_differences_name_each_value_by_its_path() -> None:
    before = {"memory": 1, "disks": {"vda": {"cache": "none", "bus": "virtio"}}, "same": [1, 2]}
    after = {"memory": 2, "disks": {"vda": {"cache": "writeback", "bus": "virtio"}}, "same": [1, 2]}
    assert differences(before, after) == [
        Change("memory", 1, 2),
        Change("disks.vda.cache", "none", "writeback"),
    ]


def test_what_comes_and_goes_is_shown_value_by_value() -> None:
    assert differences({}, {"disks": {"vdb": {"bus": "virtio"}}}) == [Change("disks.vdb.bus", None, "virtio")]
    assert differences({"disks": {"vdb": {"bus": "virtio"}}}, {"disks": {}}) == [
        Change("disks.vdb.bus", "virtio", None)
    ]


def test_the_diff_reads_as_a_person_would_write_it() -> None:
    changes = [Change("memory", Size(1024**3), Size(2 * 1024**3)), Change("autostart", None, True)]
    assert render_diff(changes) == {
        "before": "memory: 1 GiB\n",
        "after": "memory: 2 GiB\nautostart: true\n",
    }


def failing(message: str) -> Any:
    def run(_hypervisor: object) -> None:
        raise Failure(message)

    return run


def test_a_failure_in_the_middle_says_which_half_was_done() -> None:
    done: list[str] = []
    plan = Plan()
    plan.add("define the domain", lambda _hypervisor: done.append("defined"))
    plan.add("start the domain", failing("Cannot start it: no memory."))
    plan.add("switch autostart on", lambda _hypervisor: done.append("autostart"))
    with pytest.raises(Failure) as caught:
        plan.apply(NO_HYPERVISOR)
    assert done == ["defined"]
    assert caught.value.message == (
        "Cannot start it: no memory. Done before that: define the domain. Not done: switch autostart on."
    )
    assert caught.value.result == {"done": ["define the domain"], "not_done": ["switch autostart on"]}


def test_a_plan_without_actions_changes_nothing() -> None:
    assert not Plan(changes=[Change("memory", 1, 2)]).changed
