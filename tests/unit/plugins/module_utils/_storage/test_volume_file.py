# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may be written as ``dest``."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_file import add_save
from tests.unit.plugins.module_utils._storage.fake_stream import FakeHost, FakeStream


def planned(host: Any, dest: pathlib.Path, overwrite: str = "always") -> Plan:
    plan = Plan()
    params = {"pool": "images", "dest": str(dest), "mode": None, "checksum": None, "overwrite": overwrite}
    add_save(plan, host, host.volume("v"), params)
    return plan


@pytest.mark.parametrize("overwrite", ["never", "always"])
def test_what_is_no_file_is_not_replaced(tmp_path: pathlib.Path, overwrite: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for dest in (tmp_path / "pipe", tmp_path / "link", pathlib.Path("/dev/null")):
        with pytest.raises(Failure, match=f"dest: {dest} is no file but a device or the like, and is not replaced"):
            planned(FakeHost(FakeStream()), dest, overwrite)


@pytest.mark.parametrize("content", [b"old", None])
def test_a_link_stays_and_its_file_is_written(tmp_path: pathlib.Path, content: bytes | None) -> None:
    (tmp_path / "link").symlink_to("file")
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    host = FakeHost(FakeStream(content=b"data"))
    planned(host, tmp_path / "link").apply(host)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes().startswith(b"data")


def test_a_link_into_a_folder_that_does_not_exist(tmp_path: pathlib.Path) -> None:
    (tmp_path / "link").symlink_to("none/file")
    with pytest.raises(Failure, match="a folder that exists"):
        planned(FakeHost(FakeStream()), tmp_path / "link")
