# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listing volumes, against libvirt's test driver."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage import volume_info
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_info import collect


@pytest.mark.parametrize(
    ("pool", "name", "found"),
    [
        (None, "*", ["base.qcow2", "web1.qcow2"]),
        ("images", "*", ["base.qcow2", "web1.qcow2"]),
        ("images", "web*.qcow2", ["web1.qcow2"]),
        ("images", "web1.qcow2", ["web1.qcow2"]),
        ("images", "WEB1.qcow2", []),
    ],
)
def test_volumes_by_pool_and_pattern(read_only: Hypervisor, pool: str | None, name: str, found: list[str]) -> None:
    volumes = collect({"pool": pool, "name": name}, read_only)["volumes"]
    assert [volume["name"] for volume in volumes] == found


def test_the_chain_of_a_volume_that_is_listed_alone(read_only: Hypervisor) -> None:
    volume = collect({"pool": "images", "name": "web1.qcow2"}, read_only)["volumes"][0]
    assert volume["backing_chain"] == ["/srv/images/base.qcow2"]


def test_a_pool_that_does_not_exist(read_only: Hypervisor) -> None:
    with pytest.raises(Failure, match="no storage pool 'image'.*Did you mean 'images'"):
        collect({"pool": "image", "name": "*"}, read_only)


def test_a_chain_that_bites_its_tail_ends(read_only: Hypervisor) -> None:
    volumes = [
        {"path": "/a", "backing": {"path": "/b", "format": "qcow2"}},
        {"path": "/b", "backing": {"path": "/a", "format": "qcow2"}},
    ]
    volume_info._add_chains(read_only, volumes)
    assert [volume["backing_chain"] for volume in volumes] == [["/b", "/a"], ["/a", "/b"]]
