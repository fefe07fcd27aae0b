# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who needs a volume."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage import volume_users
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_create import create_volume
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_definition import Backing, VolumeSpec
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


BASE = VolumeNames("images", "base.qcow2", "/srv/images/base.qcow2")


def unseen(path: str) -> Any:
    """A refresh with which libvirt sees an overlay of this path, which something else has made."""

    def refresh(hypervisor: Hypervisor, pool: Any) -> bool:
        create_volume(hypervisor, pool, VolumeSpec("unseen.qcow2", 2 << 30, backing=Backing(path, "qcow2")))
        return True

    return refresh


@pytest.mark.parametrize("path", ["/srv/images/base.qcow2", "/srv/images/../images//base.qcow2"])
def test_libvirt_looks_again_for_overlays(hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(volume_users, "try_refresh", unseen(path))
    assert overlays(hypervisor, BASE) == ["/srv/images/unseen.qcow2", "/srv/images/web1.qcow2"]


def refuse(_hypervisor: Hypervisor, pool: Any) -> bool:
    raise Failure(f"Cannot refresh the storage pool '{pool.name()}': no such directory.")


def test_check_mode_goes_by_what_libvirt_knows(read_only: Hypervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_users, "try_refresh", refuse)
    assert overlays(read_only, BASE) == ["/srv/images/web1.qcow2"]


def test_a_pool_that_cannot_be_read_may_hold_overlays(hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_users, "try_refresh", refuse)
    with pytest.raises(Failure, match="pool 'images': no such directory. So nobody knows whether"):
        overlays(hypervisor, BASE)


def test_devices_hold_no_overlays(hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = "<pool type='logical'><name>vg</name><source><name>vg</name></source><target><path>/dev/vg</path></target>"
    hypervisor.connection.storagePoolDefineXML(f"{pool}</pool>", 0).create(0)
    asked: list[str] = []
    monkeypatch.setattr(volume_users, "try_refresh", lambda _hypervisor, pool: asked.append(pool.name()))
    overlays(hypervisor, BASE)
    assert asked == ["images"]


def test_a_pool_that_is_gone_meanwhile_holds_no_overlays(
    hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refresh(opened: Hypervisor, pool: Any) -> bool:
        pool.destroy()
        pool.undefine()
        opened.call("refresh the storage pool", pool.refresh, 0)
        return True

    monkeypatch.setattr(volume_users, "try_refresh", refresh)
    assert overlays(hypervisor, BASE) == []


def test_a_disk_whose_path_is_written_in_another_way(hypervisor: Hypervisor) -> None:
    hypervisor.connection.defineXML(
        "<domain type='test'><name>web3</name><memory>65536</memory><os><type>hvm</type></os><devices>"
        "<disk type='file' device='disk'><source file='/srv//other/../images/web3.qcow2'/><target dev='sda'/></disk>"
        "</devices></domain>"
    )
    (use,) = disk_uses(hypervisor, VolumeNames("images", "web3.qcow2", "/srv/images/web3.qcow2"))
    assert use.domain == "web3"
