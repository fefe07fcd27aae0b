# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans for storage pools: what they change, in which order, and what they say beforehand."""

from __future__ import annotations

from typing import Any

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Impact, Plan, render_diff
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.pool import Pool
from tests.unit.plugins.module_utils._storage.fake_pool import DIRECTORY, FakeHypervisor, FakePool

DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("path", "mode", "owner", "group", "autostart", "uuid", "xml")),
    "name": "images",
    "state": "started",
    "build": True,
    "allow_restart": False,
    "delete_storage": False,
}
MOVED = DIRECTORY.replace("/srv/images", "/srv/moved")


def planned(pool: FakePool | None, **options: Any) -> tuple[Plan, FakeHypervisor, Pool]:
    """The plan for a pool; making it must not change anything."""
    hypervisor = FakeHypervisor(pool)
    task = Pool({**DEFAULTS, **options}, hypervisor)
    plan = task.plan(task.read())
    assert pool is None or pool.changes == []
    return plan, hypervisor, task


def summaries(plan: Plan) -> list[str]:
    return [action.summary for action in plan.actions]


def applied(pool: FakePool | None, **options: Any) -> tuple[list[str], dict[str, Any]]:
    """The names of the calls that a task makes, and its result."""
    plan, hypervisor, task = planned(pool, **options)
    plan.apply(hypervisor)
    calls = hypervisor.pool.changes if hypervisor.pool else []
    return [call[0] for call in calls], task.finish(plan)


@pytest.mark.parametrize(
    ("pool", "options", "calls"),
    [
        (None, {"path": "/srv/images"}, ["define", "create"]),
        (None, {"path": "/srv/images", "state": "present"}, ["define"]),
        (None, {"path": "/srv/images", "state": "stopped", "autostart": True}, ["define", "setAutostart"]),
        (None, {"path": "/srv/images", "autostart": False}, ["define", "create"]),
        (None, {"state": "absent"}, []),
        (FakePool(), {}, []),
        (FakePool(), {"state": "present", "path": "/srv//images/"}, []),
        (FakePool(number=3), {}, []),
        (FakePool(active=False), {"state": "present"}, []),
        (FakePool(active=False), {}, ["create"]),
        (FakePool(active=False), {"mode": "0700"}, ["define", "create"]),
        (FakePool(), {"state": "stopped"}, ["destroy"]),
        (FakePool(), {"state": "stopped", "mode": "0700"}, ["define", "destroy"]),
        (FakePool(), {"autostart": True}, ["setAutostart"]),
        (FakePool(autostart=1), {"autostart": True}, []),
        (FakePool(), {"mode": "0700"}, ["define"]),
        (FakePool(), {"mode": "0700", "allow_restart": True}, ["define", "destroy", "create"]),
        (FakePool(MOVED, live=DIRECTORY), {}, []),
        (FakePool(MOVED, live=DIRECTORY), {"allow_restart": True}, ["destroy", "create"]),
        (FakePool(), {"allow_restart": True}, []),
        (FakePool(persistent=0), {}, ["define"]),
        (FakePool(), {"state": "absent"}, ["destroy", "undefine"]),
        (FakePool(active=False), {"state": "absent"}, ["undefine"]),
        (FakePool(persistent=0), {"state": "absent"}, ["destroy"]),
        (FakePool(), {"state": "absent", "delete_storage": True}, ["refresh", "destroy", "delete", "undefine"]),
    ],
)  # fmt: skip
def test_a_task_makes_just_the_calls_that_are_needed(
    pool: FakePool | None, options: dict[str, Any], calls: list[str]
) -> None:
    assert applied(pool, **options)[0] == calls


def test_a_new_pool_is_built_when_it_starts() -> None:
    _plan, hypervisor, task = planned(None, path="/srv/images")
    _plan.apply(hypervisor)
    assert hypervisor.pool is not None
    assert hypervisor.pool.changes[-1] == ("create", libvirt.VIR_STORAGE_POOL_CREATE_WITH_BUILD)


@pytest.mark.parametrize(
    "options",
    [
        {"path": "/srv/images", "build": False},
        {"xml": "<pool type='logical'><source><device path='/dev/sdz'/><name>vg</name></source></pool>"},
    ],
)
def test_nothing_is_formatted_or_made_unasked(options: dict[str, Any]) -> None:
    plan, hypervisor, _task = planned(None, **options)
    plan.apply(hypervisor)
    assert hypervisor.pool is not None
    assert hypervisor.pool.changes[-1] == ("create", libvirt.VIR_STORAGE_POOL_CREATE_NORMAL)


@pytest.mark.parametrize(("options", "flags"), [({"path": "/srv/images"}, 0), ({"xml": DIRECTORY}, 1)])
def test_only_a_users_xml_is_validated(options: dict[str, Any], flags: int) -> None:
    plan, hypervisor, _task = planned(None, **options)
    plan.apply(hypervisor)
    assert hypervisor.pool is not None
    assert hypervisor.pool.changes[0][2] == flags


def test_what_waits_for_a_restart_is_reported_each_time() -> None:
    plan, _hypervisor, _task = planned(FakePool(), mode="0700")
    assert [(change.path, change.impact) for change in plan.changes] == [("mode", Impact.NEXT_BOOT)]
    assert [waiting["path"] for waiting in plan.result["restart_reasons"]] == ["mode"]
    assert "allow_restart" in plan.result["restart_reasons"][0]["reason"]
    assert plan.result["pool"]["mode"] == "0711"

    again, _hypervisor, _task = planned(FakePool(MOVED, live=DIRECTORY))
    assert not again.changed
    assert [waiting["path"] for waiting in again.result["restart_reasons"]] == ["path"]


def test_a_restart_shows_what_comes_into_force() -> None:
    plan, _hypervisor, _task = planned(FakePool(MOVED, live=DIRECTORY), allow_restart=True)
    assert render_diff(plan.changes) == {"before": "path: /srv/images\n", "after": "path: /srv/moved\n"}
    assert plan.changes[0].impact is Impact.LIVE
    assert plan.result["restart_required"] is False
    assert plan.result["pool"]["path"] == "/srv/moved"


def test_permissions_that_only_the_directory_has_do_not_wait() -> None:
    bare = DIRECTORY.replace("<permissions><mode>0711</mode><owner>0</owner><group>0</group></permissions>", "")
    plan, _hypervisor, _task = planned(FakePool(bare, live=DIRECTORY))
    assert plan.result["restart_required"] is False


def test_the_diff_of_a_new_pool_is_what_a_person_would_write() -> None:
    plan, _hypervisor, _task = planned(None, path="/srv/images", autostart=True)
    assert render_diff(plan.changes) == {
        "before": "state: absent\nautostart: false\n",
        "after": "state: started\nautostart: true\ntype: dir\npath: /srv/images\n",
    }


def test_the_prediction_has_what_the_result_has() -> None:
    plan, _hypervisor, task = planned(FakePool(active=False))
    foretold = plan.result["pool"]
    assert foretold["state"] == "started"
    assert foretold.keys() == task.finish(plan)["pool"].keys()
    new, _hypervisor, _task = planned(None, path="/srv/images", state="stopped")
    assert new.result["pool"].keys() == foretold.keys()
    assert new.result["pool"]["capacity"] == 0


@pytest.mark.parametrize(
    ("pool", "options", "sentence"),
    [
        (
            FakePool(volumes=["b", "a"]),
            {"state": "absent", "delete_storage": True},
            "holds 2 volume.s., such as 'a'",
        ),
        (
            FakePool("<pool type='logical'><name>images</name></pool>", active=False),
            {"state": "absent", "delete_storage": True},
            "has the type logical: deleting its storage could destroy data that libvirt does not list",
        ),
        (FakePool(), {"mode": "0700", "build": False}, "mode cannot be set.*build=true"),
        (
            FakePool("<pool type='logical'><name>images</name></pool>"),
            {"owner": 0, "group": 0},
            "owner and group",
        ),
        (
            FakePool(),
            {"name": "other", "path": "/srv/other", "uuid": "59e7d872-c14c-400d-9765-c707e77576b1"},
            "belongs to the storage pool 'images'",
        ),
    ],
)
def test_what_would_hurt_is_refused_with_a_sentence(pool: FakePool, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        planned(pool, **options)


def test_a_volume_that_appears_late_keeps_the_pool() -> None:
    pool = FakePool()
    plan, hypervisor, _task = planned(pool, state="absent", delete_storage=True)
    pool.appearing.append("late")
    with pytest.raises(Failure, match="still holds 1 volume.s., such as 'late'"):
        plan.apply(hypervisor)
    assert pool.changes == [("refresh", 0)]
