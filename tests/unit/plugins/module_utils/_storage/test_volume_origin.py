# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a new volume may be made from."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_create import create_volume
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_definition import VolumeSpec
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_origin import Origin, origin

DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("capacity", "format", "backing", "clone_from", "src", "checksum")),
    "pool": "images",
    "name": "new.qcow2",
    "preallocation": "off",
}
BASE = {"pool": "images", "volume": "base.qcow2", "path": None, "format": None}
PATH = {"pool": None, "volume": None, "path": "/srv/images/base.qcow2", "format": "qcow2"}
ELSEWHERE = {**PATH, "path": "/srv/elsewhere/base.qcow2"}


def found(hypervisor: Hypervisor, **options: Any) -> Origin:
    pool = hypervisor.connection.storagePoolLookupByName("images")
    return origin(hypervisor, pool, {**DEFAULTS, **options})


@pytest.mark.parametrize("backing", [BASE, PATH])
def test_an_overlay_is_as_large_as_what_is_below(read_only: Hypervisor, backing: dict[str, Any]) -> None:
    for capacity in ("2 GiB", "3 GiB", None):
        assert found(read_only, backing=backing, capacity=capacity).backing is not None
    with pytest.raises(Failure, match="cannot have the capacity 1 GiB: what it is made from has 2 GiB"):
        found(read_only, backing=backing, capacity="1 GiB")


@pytest.mark.parametrize("backing", [BASE, PATH])
def test_the_format_below_must_be_what_it_is(read_only: Hypervisor, backing: dict[str, Any]) -> None:
    with pytest.raises(Failure, match="/srv/images/base.qcow2 is qcow2, not raw, so that a guest could not read it"):
        found(read_only, backing={**backing, "format": "raw"})


def test_of_what_is_in_no_pool_nothing_is_known(read_only: Hypervisor) -> None:
    assert found(read_only, backing={**ELSEWHERE, "format": "raw"}, capacity="1 MiB").capacity == 1 << 20


@pytest.mark.parametrize("way", ["backing", "clone_from"])
def test_what_libvirt_rounded_up_is_large_enough(hypervisor: Hypervisor, way: str) -> None:
    pool = hypervisor.connection.storagePoolLookupByName("images")
    create_volume(hypervisor, pool, VolumeSpec("decimal.qcow2", 976563 * 1024))
    found(hypervisor, **{way: {**BASE, "volume": "decimal.qcow2"}}, capacity="1 GB")


def test_nothing_is_no_capacity(read_only: Hypervisor) -> None:
    with pytest.raises(Failure, match="capacity: a volume of 0 bytes can hold nothing"):
        found(read_only, capacity="0")
