# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.place import FilePlace, VolumePlace
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan
from tests.unit.plugins.module_utils._storage.fake_stream import FakeHost, FakeStream


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "seed.iso"


def place(path: pathlib.Path, mode: Any = "0600") -> FilePlace:
    return FilePlace({"path": str(path), "mode": mode})


def test_a_seed_is_written_for_its_owner_alone(path: pathlib.Path) -> None:
    assert place(path).read() is None
    place(path).write(b"seed")
    assert place(path).read() == b"seed"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["seed.iso"]


def test_writing_gives_a_new_file_so_that_a_reader_keeps_the_old_one(path: pathlib.Path) -> None:
    place(path).write(b"old")
    with path.open("rb") as reader:
        place(path).write(b"new")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize(("mode", "means"), [("0644", 0o644), ("644", 0o644)])
def test_modes(path: pathlib.Path, mode: Any, means: int) -> None:
    place(path, mode).write(b"seed")
    assert path.stat().st_mode & 0o7777 == means


@pytest.mark.parametrize("mode", ["rw", "0999", "-1", 0o600, True, ""])
def test_what_is_no_mode(path: pathlib.Path, mode: Any) -> None:
    with pytest.raises(Failure, match="is not a mode"):
        place(path, mode)


def test_permissions_are_planned_for_what_is_there(path: pathlib.Path) -> None:
    place(path).write(b"seed")
    plan = Plan()
    place(path).plan_permissions(plan, is_new=False)
    assert not plan.changed
    place(path, "0644").plan_permissions(plan, is_new=False)
    assert [(change.path, change.before, change.after) for change in plan.changes] == [("mode", "0600", "0644")]


def test_a_disk_is_not_read_to_find_that_it_is_no_seed(path: pathlib.Path) -> None:
    with path.open("wb") as file:
        os.truncate(file.fileno(), 1 << 40)
    assert place(path).read() == b"?"


def test_errors_say_what_to_do(path: pathlib.Path) -> None:
    with pytest.raises(Failure) as failure:
        place(path / "none" / "seed.iso").write(b"seed")
    assert failure.value.message == (
        f"Cannot write the seed {path}/none/seed.iso: No such file or directory. Create the folder {path}/none first."
    )
    path.mkdir()
    with pytest.raises(Failure, match="Cannot remove the seed .*: Is a directory"):
        place(path).remove()


def test_a_full_disk_does_not_cost_the_old_seed() -> None:
    host = FakeHost(FakeStream())
    host.volumes["seed.iso"] = old = host.volume("seed.iso")
    volume = VolumePlace({"pool": "images", "volume": "seed.iso", "state": "present"}, host)
    host.available = 0
    with pytest.raises(Failure, match="No space left on device"):
        volume.write(b"seed")
    assert host.volumes == {"seed.iso": old}
    host.available = 4
    volume.write(b"seed")
    assert list(host.volumes) == ["seed.iso"]
    assert host.stream.received == b"seed"
