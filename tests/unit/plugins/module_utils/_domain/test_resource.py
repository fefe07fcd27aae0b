# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a task to a plan, on libvirt's test driver."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain import resource
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import read_domain
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.resource import Domain, Reading
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Impact, Plan
from tests.unit.plugins.module_utils._domain.examples import define, params, plan, run, summaries, xml

SNAPSHOT = "<domainsnapshot><name>before</name></domainsnapshot>"


def plan_for(reading: Reading, hypervisor: Hypervisor, **options: Any) -> Plan:
    """As `plan`, for what was read by other means."""
    task = Domain(params(name="web1", **options), hypervisor)
    task.read()
    return task.plan(reading)


def test_a_domain_is_removed_only_under_its_name(hypervisor: Hypervisor) -> None:
    """The uuid of another machine in a copied task must not cost that machine."""
    uuid = define(hypervisor, "db1").UUIDString()
    with pytest.raises(Failure, match="is called 'db1', not 'web1', so it is not removed"):
        plan(hypervisor, name="web1", uuid=uuid, state="absent")
    assert summaries(plan(hypervisor, name="db1", uuid=uuid, state="absent")) == ["undefine the domain"]


def test_removal_of_a_transient_domain_is_no_error(hypervisor: Hypervisor) -> None:
    hypervisor.connection.createXML(xml("passing"), 0)
    run(hypervisor, name="passing", state="absent")
    assert hypervisor.connection.listAllDomains(0) == []


@pytest.mark.parametrize(("tie", "words"), [("snapshot", "has snapshots"), ("save", "has the saved memory")])
def test_what_ties_a_domain_is_said_before_it_is_stopped(hypervisor: Hypervisor, tie: str, words: str) -> None:
    domain = define(hypervisor, "web1")
    domain.create()
    domain.snapshotCreateXML(SNAPSHOT) if tie == "snapshot" else domain.managedSave(0)
    with pytest.raises(Failure, match=f"{words}.*force=true"):
        plan(hypervisor, name="web1", state="absent")
    assert domain.isActive() == (tie == "snapshot")
    assert "undefine the domain" in summaries(plan(hypervisor, name="web1", state="absent", force=True))


@pytest.mark.parametrize("state", ["absent", "stopped"])
def test_a_crashed_domain_is_ended_by_force_only(hypervisor: Hypervisor, state: str) -> None:
    domain = define(hypervisor, "web1")
    domain.create()
    reading = Reading(replace(read_domain(hypervisor, domain), state="crashed"))
    with pytest.raises(Failure, match="has crashed .*force=true"):
        plan_for(reading, hypervisor, state=state)
    assert summaries(plan_for(reading, hypervisor, state=state, force=True))[0] == "cut the power of the crashed domain"


@pytest.mark.parametrize(
    ("now", "options", "after", "first"),
    [
        ("running", {}, "running", "shut down the domain"),
        ("paused", {}, "paused", "resume the domain"),
        ("paused", {"state": "running"}, "running", "resume the domain"),
        ("running", {"state": "paused"}, "paused", "shut down the domain"),
        ("suspended", {}, "running", "wake the domain up"),
        ("suspended", {"state": "paused"}, "paused", "wake the domain up"),
        ("crashed", {"force": True}, "running", "cut the power of the crashed domain"),
    ],
)
def test_what_a_restart_brings_is_what_is_foretold(
    hypervisor: Hypervisor, now: str, options: dict[str, Any], after: str, first: str
) -> None:
    domain = define(hypervisor, "web1")
    domain.create()
    reading = Reading(replace(read_domain(hypervisor, domain), state=now))
    made = plan_for(reading, hypervisor, max_memory="64 MiB", allow_restart=True, **options)
    stop, start = summaries(made)[1], summaries(made)[-1]
    assert (stop, start) == (first, "start the domain" + (", paused" if after == "paused" else ""))
    assert made.result["domain"]["state"] == after
    assert not made.result["restart_required"]
    states = [(change.before, change.after) for change in made.changes if change.path == "state"]
    assert states == ([] if now == after else [(now, after)])


def test_a_crashed_domain_is_not_restarted_unasked(hypervisor: Hypervisor) -> None:
    domain = define(hypervisor, "web1")
    domain.create()
    reading = Reading(replace(read_domain(hypervisor, domain), state="crashed"))
    with pytest.raises(Failure, match="has crashed .*force=true"):
        plan_for(reading, hypervisor, max_memory="64 MiB", allow_restart=True)
    made = plan_for(reading, hypervisor, title="T")
    assert summaries(made) == ["store the configuration"]
    assert made.result["domain"]["state"] == "crashed"
    assert made.result["restart_reasons"] == [{"path": "title", "reason": "its guest has crashed"}]


ON_CRASH = "<domain><name>web1</name><on_crash>preserve</on_crash></domain>"


def test_raw_xml_without_an_option_waits_for_the_next_start(hypervisor: Hypervisor) -> None:
    define(hypervisor, "web1").create()
    for actions in (["store the configuration"], []):
        made = run(hypervisor, xml=ON_CRASH)
        assert summaries(made) == actions
        assert made.result["restart_reasons"] == [
            {"path": "xml.on_crash", "reason": "libvirt reads it when the domain starts"}
        ]
    with pytest.raises(Failure, match="cannot take the change .xml.on_crash: .*Nothing was changed"):
        plan(hypervisor, xml=ON_CRASH, apply="live")
    assert "start the domain" in summaries(run(hypervisor, xml=ON_CRASH, allow_restart=True))
    made = plan(hypervisor, xml=ON_CRASH, allow_restart=True)
    assert not made.actions
    assert not made.result["restart_required"]


def test_a_wait_for_an_address_needs_a_network_interface(hypervisor: Hypervisor) -> None:
    define(hypervisor, "web1")
    with pytest.raises(Failure, match="'web1' has no network interface"):
        plan(hypervisor, name="web1", state="running", wait_for=["address"])
    user = [{"user": True}]
    assert plan(hypervisor, name="web1", state="running", wait_for=["address"], interfaces=user).actions


LEASES = frozenset({("52:54:00:00:00:01", "10.0.0.1", 1000)})


@pytest.mark.parametrize(
    ("runs", "saved", "options", "old"),
    [
        (False, False, {}, LEASES),
        (False, True, {}, frozenset()),
        (True, False, {}, frozenset()),
        (True, False, {"allow_restart": True}, frozenset()),
        (True, False, {"allow_restart": True, "max_memory": "64 MiB"}, LEASES),
    ],
)
def test_leases_are_old_when_the_guest_starts_anew(
    hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch, runs: bool, saved: bool, options: dict[str, Any], old: Any
) -> None:
    monkeypatch.setattr(resource, "finite_leases", lambda *_args: LEASES)
    domain = define(hypervisor, "web1", "<devices><interface type='user'/></devices>")
    if runs or saved:
        domain.create()
    if saved:
        domain.managedSave(0)
    task = Domain(params(name="web1", state="running", wait_for=["address"], **options), hypervisor)
    task.plan(task.read())
    assert task.old_leases == old


def test_a_rename_onto_a_taken_name_is_refused(hypervisor: Hypervisor) -> None:
    define(hypervisor, "web1")
    uuid = define(hypervisor, "web2").UUIDString()
    with pytest.raises(Failure, match="another domain, .*, is called 'web1' already"):
        plan(hypervisor, name="web1", uuid=uuid)
    assert summaries(plan(hypervisor, name="web3", uuid=uuid))[0] == "rename the domain"


def test_a_start_from_saved_memory_would_leave_out_the_change(hypervisor: Hypervisor) -> None:
    domain = define(hypervisor, "web1")
    domain.create()
    domain.managedSave(0)
    assert summaries(plan(hypervisor, name="web1", state="running")) == ["start the domain"]
    with pytest.raises(Failure, match="without the changes of this task. Nothing was changed"):
        plan(hypervisor, name="web1", state="running", title="T")
    made = plan(hypervisor, name="web1", state="running", title="T", force=True)
    assert summaries(made) == ["store the configuration", "start the domain, without its saved memory"]


@pytest.mark.parametrize("force", [False, True])
def test_a_change_beside_saved_memory_says_when_it_comes(hypervisor: Hypervisor, force: bool) -> None:
    domain = define(hypervisor, "web1")
    domain.create()
    domain.managedSave(0)
    for state in ("present", "stopped"):
        made = plan(hypervisor, name="web1", title="T", state=state, force=force)
        assert summaries(made) == ["store the configuration"]
        assert "'web1' has saved memory. Its next start goes on from there" in made.result["warnings"][0]
    run(hypervisor, name="web1", title="T")
    assert "warnings" not in plan(hypervisor, name="web1", title="T").result


def test_the_xml_has_to_say_which_domain_it_is(hypervisor: Hypervisor) -> None:
    with pytest.raises(Failure, match="does not say which domain it is"):
        plan(hypervisor, xml="<domain><title>T</title></domain>")


def test_what_is_only_stored_waits_for_the_next_start(hypervisor: Hypervisor) -> None:
    define(hypervisor, "web1").create()
    made = plan(hypervisor, name="web1", title="T", apply="config")
    assert summaries(made) == ["store the configuration"]
    assert [(change.path, change.impact) for change in made.changes] == [("title", Impact.NEXT_BOOT)]
    assert made.result["restart_required"]
    assert made.result["restart_reasons"] == [
        {"path": "title", "reason": "apply=config leaves the running domain as it is"}
    ]


def test_a_domain_that_is_to_stop_is_not_changed_before(hypervisor: Hypervisor) -> None:
    define(hypervisor, "web1").create()
    made = plan(hypervisor, name="web1", title="T", state="stopped")
    assert summaries(made) == ["store the configuration", "shut down the domain"]
    assert not made.result["restart_required"]


def test_a_label_needs_a_value(hypervisor: Hypervisor) -> None:
    define(hypervisor, "web1")
    with pytest.raises(Failure, match="labels: 'a' is null. Give it a value.*or leave it out"):
        plan(hypervisor, name="web1", labels={"a": None, "b": "1"})
    assert plan(hypervisor, name="web1", labels={"a": ""}).changes


def test_lines_end_as_xml_ends_them(hypervisor: Hypervisor) -> None:
    text = "one\r\ntwo\rthree\n"
    define(hypervisor, "web1")
    run(hypervisor, name="web1", description=text)
    assert not plan(hypervisor, name="web1", description=text).changes


def test_without_time_a_guest_is_still_asked_to_shut_down(hypervisor: Hypervisor) -> None:
    domain = define(hypervisor, "web1")
    domain.create()
    run(hypervisor, name="web1", state="stopped", timeout=0)
    assert not domain.isActive()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"remove_disks": ["vda"]}, "remove_disks .* needs state=absent"),
        ({"nvram": "delete"}, "nvram .* needs state=absent"),
        ({"tpm_state": "keep"}, "tpm_state .* needs state=absent"),
        ({"wait_for": ["agent"], "state": "stopped"}, "wait_for .* set state=running"),
        ({"wait_for": ["agent"], "state": "paused"}, "wait_for .* set state=running"),
        ({"wait_for": ["agent"], "state": "absent"}, "wait_for .* leave it out"),
        ({"apply": "live"}, "apply=live changes a running domain only"),
        ({"apply": "live", "state": "running"}, "apply=live changes a running domain only"),
        ({"apply": "config", "allow_restart": True}, "allow_restart=true needs apply=auto"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(
    hypervisor: Hypervisor, options: dict[str, Any], sentence: str
) -> None:
    define(hypervisor, "web1")
    with pytest.raises(Failure, match=sentence):
        plan(hypervisor, name="web1", **options)
