# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images in a pool of libvirt's test driver, which has volumes but knows no upload: every upload fails there."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import (
    ConnectionOptions,
    Hypervisor,
    connect,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import pool_image
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.pool_image import PoolImage
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage import lookup

POOL = "default-pool"
MARKER = "a.qcow2.0123abcd.uploading"


@pytest.fixture
def hypervisor() -> Iterator[Hypervisor]:
    with connect(ConnectionOptions(uri="test:///default")) as opened:
        yield opened
        pool = opened.connection.storagePoolLookupByName(POOL)
        for name in pool.listVolumes():
            pool.storageVolLookupByName(name).delete()


@pytest.fixture
def image(hypervisor: Hypervisor) -> PoolImage:
    return PoolImage(hypervisor, POOL, "a.qcow2")


@pytest.fixture
def file(tmp_path: pathlib.Path, qcow2: Callable[..., bytes]) -> str:
    path = tmp_path / "image"
    path.write_bytes(qcow2())
    return str(path)


def volumes(image: PoolImage) -> list[str]:
    return sorted(image.hypervisor.connection.storagePoolLookupByName(POOL).listVolumes())


def make(image: PoolImage, name: str) -> None:
    pool = image.hypervisor.connection.storagePoolLookupByName(POOL)
    pool.createXML(f"<volume><name>{name}</name><capacity>1</capacity></volume>")


def test_a_volume_beside_its_marker_is_not_complete(image: PoolImage) -> None:
    assert not image.is_complete()
    make(image, "a.qcow2")
    assert image.is_complete()
    make(image, MARKER)
    assert not image.is_complete()
    assert image.exists()


def test_the_marker_of_another_image_does_not_count(image: PoolImage) -> None:
    for name in ("a.qcow2", f"b-{MARKER}", "a.qcow2.uploading", "aXqcow2.0123abcd.uploading"):
        make(image, name)
    assert image.is_complete()


def test_removing_takes_the_marker_along(image: PoolImage) -> None:
    for name in ("a.qcow2", MARKER, "other"):
        make(image, name)
    image.remove()
    assert volumes(image) == ["other"]
    assert not image.exists()


def test_an_upload_that_fails_leaves_nothing(image: PoolImage, file: str) -> None:
    with pytest.raises(Failure, match="virStorageVolUpload"):
        image.write(file, None)
    assert volumes(image) == []


def test_an_incomplete_volume_is_made_anew(image: PoolImage, file: str) -> None:
    make(image, "a.qcow2")
    make(image, MARKER)
    with pytest.raises(Failure, match="virStorageVolUpload"):  # and not that the name is taken
        image.write(file, None)
    assert volumes(image) == []


def test_an_image_that_somebody_uploaded_meanwhile_stays(image: PoolImage, file: str) -> None:
    make(image, "a.qcow2")
    image.write(file, None)
    assert volumes(image) == ["a.qcow2"]


def test_a_pool_of_devices_takes_no_qcow2(hypervisor: Hypervisor, file: str) -> None:
    source, target = "<source><name>vg</name></source>", "<target><path>/dev/vg</path></target>"
    xml = f"<pool type='logical'><name>lvm</name>{source}{target}</pool>"
    pool = hypervisor.connection.storagePoolDefineXML(xml)
    pool.create()
    with pytest.raises(Failure, match="are devices, which can only be raw"):
        PoolImage(hypervisor, "lvm", "a").write(file, None)
    pool.destroy()
    pool.undefine()


def test_a_file_that_libvirt_has_not_seen_yet(image: PoolImage, monkeypatch: pytest.MonkeyPatch) -> None:
    refreshed = []

    def refresh(hypervisor: Hypervisor, pool: Any) -> bool:
        refreshed.append(pool.name())
        make(image, "a.qcow2")
        return True

    monkeypatch.setattr(lookup, "try_refresh", refresh)
    assert image.is_complete()
    assert image.exists()
    assert refreshed == [POOL]  # not again for what is found


def test_a_pool_that_is_not_there(hypervisor: Hypervisor) -> None:
    with pytest.raises(Failure, match="There is no storage pool 'default-pol' on"):
        PoolImage(hypervisor, "default-pol", "a").is_complete()


def test_a_file_that_cannot_be_read(image: PoolImage, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_image, "refresh", lambda *_arguments: pathlib.Path(file).unlink())
    with pytest.raises(Failure, match=f"Cannot read {file}: No such file or directory"):
        image.write(file, None)
    assert volumes(image) == []
