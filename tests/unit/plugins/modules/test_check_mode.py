# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode changes nothing: every module, on a connection that explodes when it is used for a change."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils import _connection
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.iso import build
from tests.unit.plugins.modules.check_mode_cases import CASES, VOLUME
from tests.unit.plugins.modules.exploding import Exploding
from tests.unit.plugins.modules.running import run_module

MODULES = pathlib.Path(__file__).parents[4] / "plugins" / "modules"
TASKS = [pytest.param(name, task, id=f"{name}-{number}") for name in CASES for number, task in enumerate(CASES[name])]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Make modules open an exploding connection; tells for each one whether it was to be read-only."""
    kinds: list[bool] = []
    real = libvirt.open("test:///default")
    pool = real.storagePoolLookupByName("default-pool")
    if "old" not in pool.listVolumes():
        pool.createXML(VOLUME, 0)

    def open_exploding(_options: object, read_only: bool) -> Exploding:
        kinds.append(read_only)
        return Exploding(real)

    monkeypatch.setattr(_connection, "_open", open_exploding)
    # The test driver cannot read a volume: each holds a seed.
    seed = build({"user-data": "#cloud-config\nhostname: b\n", "meta-data": "instance-id: b\n"})
    monkeypatch.setattr(_connection.PrivilegedReads, "download_volume", lambda _self, *args: args[-1](seed))
    yield kinds
    real.close()


def test_no_module_is_forgotten() -> None:
    modules = {path.stem for path in MODULES.glob("*.py")}
    actions = {path.stem for path in MODULES.with_name("action").glob("*.py")}  # test_guest_check_mode.py has these
    assert {name for name in modules - actions if not name.endswith("_info")} == set(CASES)


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_check_mode_foretells_a_change_and_makes_none(
    name: str, task: dict[str, Any], opened: list[bool], capsys: pytest.CaptureFixture[str]
) -> None:
    result = run_module(name, {**task, "_ansible_check_mode": True, "_ansible_diff": True}, capsys)
    assert not result.get("failed"), result
    assert result["changed"]
    assert result["diff"]["before"] != result["diff"]["after"]
    assert opened[0], "check mode opened a read-write connection first"


@pytest.mark.parametrize(("name", "task"), TASKS)
def test_without_check_mode_the_same_task_explodes(
    name: str, task: dict[str, Any], opened: list[bool], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AssertionError, match="was called"):
        run_module(name, task, capsys)
