# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding volumes that libvirt does not know yet, and pools that are busy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure, explain
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.lookup import (
    find_in_pool,
    find_volume,
    refresh,
    require_volume,
)
from tests.unit.plugins.module_utils._storage.fake_stream import FakeHost, FakeStream

BUSY = "internal error: pool 'images' has asynchronous jobs running."


class Host(FakeHost):
    """Says what libvirt says when a call fails."""

    def call(self, doing: str, function: Callable[..., Any], *args: Any, limited: bool = True) -> Any:
        try:
            return function(*args)
        except libvirt.libvirtError as error:
            raise explain(doing, error) from error


def host(refreshes: list[str | None]) -> Host:
    """A hypervisor on which each refresh says the next of these, and a good one finds the volume ``new``."""
    made = Host(FakeStream())

    def answer(_flags: int) -> int:
        said = refreshes.pop(0)
        if said is not None:
            raise libvirt.libvirtError(said)
        made.volumes["new"] = made.volume("new")
        return 0

    made.pool.refresh = answer
    return made


def test_a_file_that_something_else_made_is_found() -> None:
    assert find_volume(host([None]), "images", "new").name() == "new"


def test_check_mode_does_not_make_libvirt_look() -> None:
    unasked: list[str | None] = [None]
    made = host(unasked)
    made.read_only = True
    assert find_volume(made, "images", "new") is None
    assert unasked == [None]


def test_a_busy_pool_is_taken_as_libvirt_knows_it() -> None:
    made = host([BUSY])
    assert find_in_pool(made, made.pool, "new") is None


def test_a_refresh_waits_while_the_pool_is_busy() -> None:
    refreshes: list[str | None] = [BUSY, BUSY, None]
    made = host(refreshes)
    refresh(made, made.pool)
    assert refreshes == []


def test_a_refresh_that_fails_otherwise_is_a_sentence() -> None:
    made = host(["cannot open directory '/srv/images': No such file or directory"])
    with pytest.raises(Failure, match="Cannot refresh the storage pool 'images': cannot open directory"):
        refresh(made, made.pool)


def test_a_volume_that_must_exist(read_only: Hypervisor) -> None:
    assert require_volume(read_only, "images", "base.qcow2").name() == "base.qcow2"
    with pytest.raises(Failure, match="no volume 'bass.qcow2'.*Did you mean 'base.qcow2'"):
        require_volume(read_only, "images", "bass.qcow2")


def test_a_stopped_pool_has_no_volumes(hypervisor: Hypervisor) -> None:
    hypervisor.connection.storagePoolLookupByName("images").destroy()
    with pytest.raises(Failure, match="'images' on test://.* is stopped.*state=started"):
        find_volume(hypervisor, "images", "base.qcow2")
