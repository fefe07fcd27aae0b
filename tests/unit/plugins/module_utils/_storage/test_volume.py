# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans for volumes, against libvirt's test driver."""

from __future__ import annotations

import hashlib
import pathlib
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan, render_diff
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage import volume
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume import Volume
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_create import create_volume
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_definition import VolumeSpec

DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(
        ("capacity", "format", "backing", "clone_from", "src", "dest", "mode", "checksum", "removed_domain")
    ),
    "pool": "images",
    "name": "base.qcow2",
    "state": "present",
    "allow_shrink": False,
    "preallocation": "off",
    "overwrite": "never",
    "force": False,
}
GIB = 1 << 30


def backing(**named: str) -> dict[str, Any]:
    """The option ``backing``."""
    return {**dict.fromkeys(("volume", "pool", "path", "format")), **named}


def planned(hypervisor: Hypervisor, **options: Any) -> Plan:
    task = Volume({**DEFAULTS, **options}, hypervisor)
    return task.plan(task.read())


def summaries(plan: Plan) -> list[str]:
    return [action.summary for action in plan.actions]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"capacity": "2 GiB", "format": "qcow2"},
        {"name": "web1.qcow2", "backing": backing(pool="images", volume="base.qcow2")},
        {"name": "web1.qcow2", "backing": backing(path="/srv/images/base.qcow2", format="qcow2")},
        {"name": "none", "state": "absent"},
        {"pool": "none", "state": "absent"},
        {"src": "/nonexistent"},
    ],
)
def test_what_is_there_already_is_no_change(read_only: Hypervisor, options: dict[str, Any]) -> None:
    assert not planned(read_only, **options).changed


@pytest.mark.parametrize(
    ("options", "done"),
    [
        ({"name": "a", "capacity": "1 GiB"}, ["create the volume"]),
        (
            {"name": "a", "backing": backing(pool="images", volume="base.qcow2")},
            ["create the volume, laid over /srv/images/base.qcow2"],
        ),
        (
            {"name": "a", "clone_from": {"pool": None, "volume": "base.qcow2"}},
            ["copy the volume 'base.qcow2' of the storage pool 'images'"],
        ),
        (
            {"name": "a", "capacity": "3 GiB", "clone_from": {"pool": "images", "volume": "base.qcow2"}},
            ["copy the volume 'base.qcow2' of the storage pool 'images'", "grow the volume to 3 GiB"],
        ),
        ({"name": "web1.qcow2", "capacity": "8 GiB"}, ["grow the disk vda of web1"]),
        ({"name": "web1.qcow2", "state": "absent", "force": True}, ["delete the volume"]),
        ({"name": "web1.qcow2", "state": "absent", "removed_domain": "web1"}, ["delete the volume"]),
    ],
)
def test_what_is_to_be_done(read_only: Hypervisor, options: dict[str, Any], done: list[str]) -> None:
    assert summaries(planned(read_only, **options)) == done


def test_an_upload_grows_afterwards(read_only: Hypervisor, tmp_path: pathlib.Path) -> None:
    image = tmp_path / "image.raw"
    image.write_bytes(bytes(1024))
    plan = planned(read_only, name="a", src=str(image), format="raw", capacity="1 MiB")
    assert summaries(plan) == [f"upload {image}", "grow the volume to 1 MiB"]
    assert render_diff(plan.changes)["after"] == "state: present\nformat: raw\ncapacity: 1 MiB\n"
    assert plan.result["volume"]["capacity"] == 1 << 20


def test_a_new_volume_is_created(hypervisor: Hypervisor) -> None:
    task = Volume({**DEFAULTS, "name": "new.qcow2", "capacity": "1 GiB"}, hypervisor)
    plan = task.plan(task.read())
    plan.apply(hypervisor)
    result = task.finish(plan)["volume"]
    assert (result["capacity"], result["path"]) == (GIB, "/srv/images/new.qcow2")
    assert result.keys() == plan.result["volume"].keys()
    assert not planned(hypervisor, name="new.qcow2", capacity="1 GiB").changed


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"name": "a"}, "give the capacity"),
        ({"name": "../a", "capacity": "1 GiB"}, "contains a slash"),
        ({"name": "a", "capacity": "much"}, "'much' is not a size"),
        ({"pool": "image", "name": "a"}, "no storage pool 'image'.*Did you mean 'images'"),
        ({"capacity": "1 GiB"}, "would shrink to 1 GiB.*allow_shrink=true"),
        ({"name": "web1.qcow2", "capacity": "1 GiB", "allow_shrink": True}, "cannot shrink while.*'web1' .disk vda"),
        ({"capacity": "8 GiB"}, "it backs a disk of the running domain 'web1'"),
        ({"format": "raw"}, "The format .* is qcow2, not raw, and cannot change"),
        ({"backing": backing(path="/a", format="raw")}, "The backing .* is none, not /a, and cannot change"),
        ({"backing": backing(path="/a")}, "give the format of /a too"),
        ({"removed_domain": "web1"}, "set state=absent, or leave it out"),
        (
            {"name": "web1.qcow2", "state": "absent", "removed_domain": "web2"},
            "is not deleted.*by the running domain 'web1'",
        ),
        ({"state": "absent", "removed_domain": "web1"}, "is not deleted.*needed by the volume /srv/images/web1.qcow2"),
        (
            {"state": "absent"},
            "is not deleted.*'web1' .disk vda., the volume /srv/images/web1.qcow2, which is",
        ),
        (
            {"name": "a", "capacity": "1 MiB", "format": "raw", "preallocation": "metadata"},
            "preallocation=metadata is for qcow2: a raw volume has no tables",
        ),
        (
            {"name": "a", "backing": backing(path="/a", format="raw"), "format": "raw"},
            "A raw volume can have",
        ),
        ({"name": "a", "clone_from": {"pool": None, "volume": "bass.qcow2"}}, "Did you mean 'base.qcow2'"),
        (
            {"name": "a", "capacity": "1 GiB", "clone_from": {"pool": None, "volume": "base.qcow2"}},
            "cannot have the capacity 1 GiB: what it is made from has 2 GiB",
        ),
        ({"name": "a", "dest": "/tmp/x"}, "no volume 'a'.*dest cannot be written"),
        ({"dest": "/nonexistent/x"}, "a folder that exists"),
        ({"checksum": "sha256:00"}, "give one of them"),
        ({"preallocation": "full", "src": "/a"}, "preallocation is for empty volumes, not together with src"),
        ({"src": "/a", "overwrite": "different", "capacity": "2 GiB"}, "cannot be combined with capacity"),
        ({"src": "/nonexistent", "overwrite": "always"}, "nonexistent"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    read_only: Hypervisor, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Failure, match=sentence):
        planned(read_only, **options)


@pytest.fixture
def devices(hypervisor: Hypervisor) -> Hypervisor:
    """A hypervisor with a pool of devices, ``vg``."""
    pool = "<pool type='logical'><name>vg</name><source><name>vg</name></source><target><path>/dev/vg</path></target>"
    hypervisor.connection.storagePoolDefineXML(f"{pool}</pool>", 0).create(0)
    return hypervisor


def test_a_volume_among_devices_is_raw(devices: Hypervisor) -> None:
    empty: dict[str, Any] = {"pool": "vg", "name": "a", "capacity": "2 GiB"}
    copy: dict[str, Any] = {"pool": "vg", "name": "b", "clone_from": {"pool": None, "volume": "a"}}
    for options in (empty, copy):
        plan = planned(devices, **options)
        assert plan.result["volume"]["format"] == "raw"
        plan.apply(devices)
        assert not planned(devices, **options).changed
        with pytest.raises(Failure, match="'vg' has devices, not files, so that the volume 'c' cannot be qcow2"):
            planned(devices, **{**options, "name": "c"}, format="qcow2")
    assert sorted(devices.connection.storagePoolLookupByName("vg").listVolumes()) == ["a", "b"]


def test_a_file_that_stays_must_have_its_checksum(read_only: Hypervisor, tmp_path: pathlib.Path) -> None:
    saved = tmp_path / "saved"
    saved.write_bytes(b"data")
    right = f"sha256:{hashlib.sha256(b'data').hexdigest()}"
    assert not planned(read_only, dest=str(saved), checksum=right).changed
    with pytest.raises(Failure, match=f"{saved} does not have the checksum that the task gives"):
        planned(read_only, dest=str(saved), checksum=f"sha256:{'0' * 64}")
    with pytest.raises(Failure, match="'sha256:0' is not a checksum"):
        planned(read_only, dest=str(saved), checksum="sha256:0")


def test_content_that_stays_must_have_its_checksum(
    read_only: Hypervisor, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "image.raw"
    image.write_bytes(b"data")
    monkeypatch.setattr(volume, "same_content", lambda *_args: True)
    options: dict[str, Any] = {"src": str(image), "overwrite": "different"}
    assert not planned(read_only, **options).changed
    with pytest.raises(Failure, match=f"{image} does not have the checksum that the task gives"):
        planned(read_only, **options, checksum=f"sha256:{'0' * 64}")


def test_content_in_use_is_not_overwritten(read_only: Hypervisor, tmp_path: pathlib.Path) -> None:
    image = tmp_path / "image.raw"
    image.write_bytes(bytes(1024))
    options: dict[str, Any] = {"name": "web1.qcow2", "src": str(image), "format": "raw", "overwrite": "always"}
    with pytest.raises(Failure, match="is not overwritten, because it is needed by the running domain 'web1'"):
        planned(read_only, **options)
    assert summaries(planned(read_only, **options, force=True)) == [
        "check the new content",
        "delete the old volume",
        f"upload {image}",
    ]


def test_an_interrupted_upload_starts_over(hypervisor: Hypervisor, tmp_path: pathlib.Path) -> None:
    image = tmp_path / "image.raw"
    image.write_bytes(bytes(1024))
    pool = hypervisor.connection.storagePoolLookupByName("images")
    create_volume(hypervisor, pool, VolumeSpec("a.raw", 1024, "raw"))
    options = {"name": "a.raw", "src": str(image), "format": "raw"}
    assert not planned(hypervisor, **options).changed
    create_volume(hypervisor, pool, VolumeSpec("a.raw.12345678.uploading", 1, "raw"))
    plan = planned(hypervisor, **options)
    assert summaries(plan) == ["check the new content", "delete the old volume", f"upload {image}"]
    assert "content: incomplete" in render_diff(plan.changes)["before"]

    planned(hypervisor, name="a.raw", state="absent").apply(hypervisor)
    assert sorted(pool.listVolumes()) == ["base.qcow2", "web1.qcow2"]


@pytest.mark.parametrize(
    "options",
    [
        {"backing": backing(pool="images", volume="base.qcow2")},
        {"clone_from": {"pool": None, "volume": "base.qcow2"}},
    ],
)
def test_nothing_is_built_on_half_an_upload(hypervisor: Hypervisor, options: dict[str, Any]) -> None:
    pool = hypervisor.connection.storagePoolLookupByName("images")
    create_volume(hypervisor, pool, VolumeSpec("base.qcow2.12345678.uploading", 1, "raw"))
    with pytest.raises(Failure, match="'base.qcow2' of the storage pool 'images' is not complete"):
        planned(hypervisor, name="new", **options)
    assert not planned(hypervisor, name="web1.qcow2", backing=backing(pool="images", volume="base.qcow2")).changed


def test_a_copy_that_was_cut_short_is_made_anew_and_never_saved(hypervisor: Hypervisor, tmp_path: pathlib.Path) -> None:
    pool = hypervisor.connection.storagePoolLookupByName("images")
    create_volume(hypervisor, pool, VolumeSpec("a.qcow2", 2 * GIB, "qcow2"))
    options: dict[str, Any] = {"name": "a.qcow2", "clone_from": {"pool": None, "volume": "base.qcow2"}}
    assert not planned(hypervisor, **options).changed
    create_volume(hypervisor, pool, VolumeSpec("a.qcow2.12345678.uploading", 1, "raw"))
    plan = planned(hypervisor, **options)
    assert summaries(plan)[1:] == [
        "delete the old volume",
        "copy the volume 'base.qcow2' of the storage pool 'images'",
    ]
    plan.apply(hypervisor)
    assert sorted(pool.listVolumes()) == ["a.qcow2", "base.qcow2", "web1.qcow2"]

    create_volume(hypervisor, pool, VolumeSpec("a.qcow2.12345678.uploading", 1, "raw"))
    with pytest.raises(Failure, match="'a.qcow2' of the storage pool 'images' is not complete"):
        planned(hypervisor, name="a.qcow2", dest=str(tmp_path / "saved"))


@pytest.mark.parametrize("options", [{}, {"capacity": "4 GiB"}])
def test_half_an_upload_does_not_count_as_the_volume(hypervisor: Hypervisor, options: dict[str, Any]) -> None:
    pool = hypervisor.connection.storagePoolLookupByName("images")
    create_volume(hypervisor, pool, VolumeSpec("base.qcow2.12345678.uploading", 1, "raw"))
    with pytest.raises(Failure, match="'base.qcow2' of the storage pool 'images' is not complete"):
        planned(hypervisor, **options)


def test_an_overlay_keeps_the_format_below(hypervisor: Hypervisor) -> None:
    below = backing(path="/srv/images/base.qcow2", format="raw")
    with pytest.raises(Failure, match="The format of the backing .* is qcow2, not raw, and cannot change"):
        planned(hypervisor, name="web1.qcow2", backing=below)


def test_a_mark_alone_goes_too(hypervisor: Hypervisor) -> None:
    pool = hypervisor.connection.storagePoolLookupByName("images")
    create_volume(hypervisor, pool, VolumeSpec("a.raw.12345678.uploading", 1, "raw"))
    planned(hypervisor, name="a.raw", state="absent").apply(hypervisor)
    assert sorted(pool.listVolumes()) == ["base.qcow2", "web1.qcow2"]
    assert not planned(hypervisor, name="a.raw", state="absent").changed
