# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode changes nothing in a guest: the tasks of all action plugins, on a guest that explodes when changed."""

from __future__ import annotations

import importlib
import io
import pathlib
from typing import Any, cast

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import FileFacts, GuestError
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, connect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import perform
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_action import Context, GuestAction
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_options import checked_options

PACKAGE = "ansible_collections.kvmmanager.libvirt.plugins.action"
ACTIONS = pathlib.Path(__file__).parents[4] / "plugins" / "action"
CASES: dict[str, list[dict[str, Any]]] = {
    "guest_agent": [{"method": "file_mkdir", "params": {"path": "/srv"}}],
    "guest_command": [{"argv": ["id"]}, {"cmd": "id", "creates": "/new"}, {"cmd": "id", "removes": "/old"}],
    "guest_copy": [
        {"content": "new", "dest": "/old"},
        {"content": "old", "dest": "/old", "mode": "0600"},
        {"src": str(ACTIONS), "dest": "/srv", "mode": "preserve"},
    ],
    "guest_fetch": [{"src": "/old", "dest": "/nowhere-on-the-controller"}],
    "guest_power": [{"state": "shutdown"}, {"state": "reboot"}],
}
TASKS = [pytest.param(name, task, id=f"{name}-{number}") for name in CASES for number, task in enumerate(CASES[name])]


class Explosion(AssertionError):
    """Something was changed."""


class ExplodingGuest:
    """A guest with a directory /srv and a file /old; whatever changes something raises `Explosion`."""

    agent = "kvmmanager"
    where = "the guest of 'test'"
    methods = frozenset({"file_mkdir", "ping", "file_put", "shutdown", "reboot"})

    def stat(self, path: str, sha256: bool = False, timeout: float | None = None) -> FileFacts | None:
        kinds = {"/": "directory", "/srv": "directory", "/old": "file"}
        return FileFacts(kinds[path], 3, 0o644, 0, 0, 0.0) if path in kinds else None

    def list(self, path: str, timeout: float | None = None) -> list[tuple[str, FileFacts]]:
        return []

    def get(self, path: str, sink: io.BytesIO, **_options: Any) -> FileFacts:
        sink.write(b"old")
        return FileFacts("file", 3, 0o644, 0, 0, 0.0)

    def info(self, topic: str) -> dict[str, Any]:
        return {"boot_id": "one"}

    def __getattr__(self, name: str) -> Any:
        raise Explosion(f"{name} was called")


def outcome(name: str, given: dict[str, Any], check_mode: bool) -> tuple[bool, dict[str, Any]]:
    """Whether the task says that it changes something, and its result."""
    action: type[GuestAction] = importlib.import_module(f"{PACKAGE}.{name}").ActionModule
    params = checked_options(given, action.arguments, action.constraints, {"uri": "test:///default"})
    with connect(ConnectionOptions.from_params(params)) as hypervisor:
        context = Context(params, hypervisor, "test", "test")
        context.diff = True
        context._guest = cast("Any", ExplodingGuest())
        plan, result = perform(action.task(context), check_mode)
    return plan.changed, result


def test_no_action_is_forgotten() -> None:
    assert {path.stem for path in ACTIONS.glob("*.py") if not path.stem.endswith("_info")} == set(CASES)


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_check_mode_foretells_a_change_and_makes_none(name: str, task: dict[str, Any]) -> None:
    changed, _result = outcome(name, task, check_mode=True)
    assert changed


@pytest.mark.parametrize(("name", "task"), [task for task in TASKS if task.values[0] != "guest_fetch"])
def test_without_check_mode_the_same_task_explodes(name: str, task: dict[str, Any]) -> None:
    with pytest.raises(Explosion, match="was called"):
        outcome(name, task, check_mode=False)


@pytest.mark.parametrize("name", ["guest_copy", "guest_power"])
def test_check_mode_knows_the_policy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExplodingGuest, "methods", frozenset({"ping"}))
    with pytest.raises(GuestError, match="does not allow (file_put|shutdown). Allow it in the guest"):
        outcome(name, CASES[name][0], check_mode=True)


def test_a_file_is_fetched_without_check_mode_only(tmp_path: pathlib.Path) -> None:
    task = {"src": "/old", "dest": str(tmp_path / "here"), "flat": True}
    outcome("guest_fetch", task, check_mode=True)
    assert list(tmp_path.iterdir()) == []
    outcome("guest_fetch", task, check_mode=False)
    assert (tmp_path / "here").read_bytes() == b"old"
