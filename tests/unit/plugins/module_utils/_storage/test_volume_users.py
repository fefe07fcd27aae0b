# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who needs a volume."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_users import (
    VolumeNames,
    disk_uses,
    overlays,
)


@pytest.mark.parametrize(
    ("name", "uses"),
    [
        ("web1.qcow2", [("web1", "vda", True)]),
        ("base.qcow2", [("web1", "vda", False)]),
        ("other.qcow2", []),
    ],
)
def test_the_disks_that_need_a_volume(read_only: Hypervisor, name: str, uses: list[tuple[str, str, bool]]) -> None:
    found = disk_uses(read_only, VolumeNames("images", name, f"/srv/images/{name}"))
    assert [(use.domain, use.target, use.direct) for use in found] == uses


def test_a_disk_that_names_pool_and_volume(hypervisor: Hypervisor) -> None:
    hypervisor.connection.defineXML(
        "<domain type='test'><name>web2</name><memory>65536</memory><os><type>hvm</type></os><devices>"
        "<disk type='volume' device='disk'><source pool='images' volume='web2.qcow2'/><target dev='sda'/></disk>"
        "</devices></domain>"
    )
    (use,) = disk_uses(hypervisor, VolumeNames("images", "web2.qcow2", "/srv/images/web2.qcow2"))
    assert str(use) == "the stopped domain 'web2' (disk sda)"
    assert disk_uses(hypervisor, VolumeNames("other", "web2.qcow2", "/srv/other/web2.qcow2")) == []


def test_a_disk_that_a_running_domain_has_from_its_next_start(hypervisor: Hypervisor) -> None:
    domain = hypervisor.connection.lookupByName("web1")
    hypervisor.connection.defineXML(
        f"<domain type='test'><name>web1</name><uuid>{domain.UUIDString()}</uuid><memory>65536</memory>"
        "<os><type>hvm</type></os><devices><disk type='file' device='disk'>"
        "<source file='/srv/images/next.qcow2'/><target dev='vdb' bus='virtio'/></disk></devices></domain>"
    )
    (use,) = disk_uses(hypervisor, VolumeNames("images", "next.qcow2", "/srv/images/next.qcow2"))
    assert str(use) == "the running domain 'web1' from its next start (disk vdb)"
    assert not use.running
    (use,) = disk_uses(hypervisor, VolumeNames("images", "web1.qcow2", "/srv/images/web1.qcow2"))
    assert use.running


def test_the_volumes_that_are_laid_over_one(read_only: Hypervisor) -> None:
    base = VolumeNames("images", "base.qcow2", "/srv/images/base.qcow2")
    assert overlays(read_only, base) == ["/srv/images/web1.qcow2"]
    assert overlays(read_only, VolumeNames("images", "web1.qcow2", "/srv/images/web1.qcow2")) == []
