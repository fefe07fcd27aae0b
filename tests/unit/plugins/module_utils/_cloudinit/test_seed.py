# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import iso, view
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.place import VolumePlace
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.seed import Seed, secrets
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan
from tests.unit.plugins.module_utils._storage.fake_stream import FakeHost, FakeStream

NO_HYPERVISOR: Any = None


class Task:
    """Tasks that write one file."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path

    def plan(self, **options: Any) -> Plan:
        names = ("pool", "volume", "user_data", "meta_data", "network_config", "vendor_data", "instance_id")
        defaults = {"state": "present", "instance_id_policy": "keep", "schema": "skip", "mode": "0600"}
        params = {**dict.fromkeys(names), **defaults, "path": str(self.path), **options}
        seed = Seed(params, NO_HYPERVISOR)
        return seed.plan(seed.read())

    def run(self, **options: Any) -> dict[str, Any]:
        plan = self.plan(**options)
        plan.apply(NO_HYPERVISOR)
        return plan.result["seed"]


@pytest.fixture
def task(tmp_path: pathlib.Path) -> Task:
    return Task(tmp_path / "seed.iso")


def changed(plan: Plan) -> dict[str, Any]:
    return {change.path: change.after for change in plan.changes}


def test_a_second_run_has_nothing_to_do(task: Task) -> None:
    options = {"user_data": {"hostname": "web1"}, "meta_data": {"local-hostname": "web1"}}
    first = task.run(**options)
    again = task.plan(**options)
    assert not again.changed
    assert not again.changes
    assert again.result["seed"] == first


def test_the_instance_id_is_kept_unless_asked(task: Task) -> None:
    first = task.run(user_data={"a": 1})["instance_id"]
    assert task.run(user_data={"a": 2})["instance_id"] == first
    by_content = task.run(user_data={"a": 2}, instance_id_policy="content")["instance_id"]
    assert by_content != first
    assert not task.plan(user_data={"a": 2}, instance_id_policy="content").changed
    assert task.run(user_data={"a": 2}, instance_id="mine")["instance_id"] == "mine"
    assert task.run(user_data={"a": 2})["instance_id"] == "mine"
    assert task.run(user_data={"a": 2}, meta_data={"instance-id": "own"})["instance_id"] == "own"


def test_two_instance_ids_are_refused(task: Task) -> None:
    task.plan(instance_id="a", meta_data={"instance-id": "a"})
    with pytest.raises(Failure, match="differ: give one"):
        task.plan(instance_id="a", meta_data="instance-id: b")


def test_the_same_content_gives_the_same_seed_in_another_place(task: Task, tmp_path: pathlib.Path) -> None:
    options = {"user_data": {"a": 1}}
    assert task.run(**options)["sha256"] == Task(tmp_path / "other.iso").run(**options)["sha256"]


def test_a_seed_of_another_tool_with_the_same_documents_is_left_alone(task: Task) -> None:
    task.run(user_data="#!/bin/sh\n", instance_id="a")
    task.path.write_bytes(task.path.read_bytes() + bytes(4096))
    assert not task.plan(user_data="#!/bin/sh\n").changed


def test_a_damaged_seed_is_written_again(task: Task) -> None:
    task.run(user_data={"a": 1})
    task.path.write_bytes(task.path.read_bytes()[:34_000])
    task.run(user_data={"a": 1})
    assert iso.read(task.path.read_bytes()) is not None


@pytest.mark.parametrize("state", ["present", "absent"])
def test_what_is_no_seed_is_left_alone(task: Task, state: str) -> None:
    task.path.write_bytes(b"QFI\xfb" + bytes(100_000))
    with pytest.raises(Failure, match="is not a cloud-init seed, so it is left alone"):
        task.plan(state=state)


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("content", [b"", bytes(100_000)])
def test_an_empty_file_is_no_seed(task: Task, state: str, content: bytes) -> None:
    task.path.write_bytes(content)
    with pytest.raises(Failure, match="is not a cloud-init seed, so it is left alone"):
        task.plan(state=state)
    assert task.path.read_bytes() == content


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_blank_volume_is_no_seed_unless_its_upload_broke_off(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    host = FakeHost(FakeStream())
    host.volumes["web1.iso"] = host.volume("web1.iso")
    monkeypatch.setattr(VolumePlace, "read", lambda _place: bytes(1024))
    monkeypatch.setattr(VolumePlace, "result", lambda _place: {})
    params = {**dict.fromkeys(("user_data", "meta_data", "network_config", "vendor_data", "instance_id", "path"))}
    params.update(pool="images", volume="web1.iso", state=state, instance_id_policy="keep", schema="skip")
    seed = Seed(params, host)
    with pytest.raises(Failure, match="is not a cloud-init seed, so it is left alone"):
        seed.read()
    host.volumes["web1.iso.00000000.uploading"] = host.volume("web1.iso.00000000.uploading")
    plan = seed.plan(seed.read())
    assert plan.changed
    plan.apply(host)
    assert list(host.volumes) == (["web1.iso"] if state == "present" else [])


def test_removal(task: Task) -> None:
    assert not task.plan(state="absent").changed
    task.run(user_data={"a": 1})
    assert task.plan(state="absent").changed
    assert task.run(state="absent") is None
    assert not task.path.exists()


def test_the_diff_has_the_changed_values_without_secrets(task: Task) -> None:
    task.run(user_data={"hostname": "web1", "password": "hunter2", "keep": 1})
    plan = task.plan(user_data={"hostname": "web2", "password": "hunter3", "keep": 1})
    assert changed(plan) == {"user_data.hostname": "web2", "user_data.password": "******** (changed)"}


def test_the_diff_of_a_script_is_its_size(task: Task) -> None:
    task.run(user_data="#!/bin/sh\npassword: hunter2\n")
    plan = task.plan(user_data="#!/bin/sh\npassword: hunter3\n")
    assert changed(plan) == {"user_data": "text of 28 bytes (changed)"}
    assert plan.changes[0].before == "text of 28 bytes"


def test_a_changed_comment_is_a_change_too(task: Task) -> None:
    task.run(user_data="#cloud-config\na: 1 # one\n")
    plan = task.plan(user_data="#cloud-config\na: 1 # two\n")
    assert changed(plan) == {"user_data": "text of 25 bytes (changed)"}


def test_documents_that_come_and_go_are_in_the_diff() -> None:
    before = {"user-data": "#cloud-config\n", "meta-data": "instance-id: a\n", "extra": "x"}
    after = {"user-data": "#cloud-config\n", "meta-data": "instance-id: a\n", "vendor-data": "#!/bin/sh\n"}
    found = {change.path: (change.before, change.after) for change in view.changes(before, after)}
    assert found == {"vendor_data": (None, "text of 10 bytes"), "extra": ("a file", None)}


def test_secrets_of_every_option_are_found() -> None:
    params = {
        "user_data": {"password": "hunter2", "hostname": "web1"},
        "vendor_data": "#cloud-config\npassword: hunter3\n",
        "network_config": {"wifis": {"w": {"access-points": {"a": {"password": "hunter4"}}}}},
        "meta_data": None,
    }
    assert secrets(params) == {"hunter2", "hunter3", "hunter4"}


@pytest.mark.parametrize("text", ["#!/bin/sh\na: b\n", "## template: jinja\n#cloud-config\n", "Content-Type: a\n", "x"])
def test_a_text_that_is_no_yaml_is_secret_as_a_whole(text: str) -> None:
    assert secrets({"user_data": text}) == {text}
