# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import fcntl
import functools
import hashlib
import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import source
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.cache import Cache, Cached
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.cloud_image import cloud_image
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.library import Library, Policy
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.pool_image import PoolImage
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import render_diff
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import perform
from tests.integration.targets.cloud_image.files.image_server import ImageServer
from tests.unit.plugins.module_utils._storage.fake_stream import FakeHost, FakeStream


class Site:
    """A publisher's site with one image and its list, and a cache to fill."""

    def __init__(self, server: ImageServer, folder: pathlib.Path, content: bytes) -> None:
        self.server = server
        self.folder = folder / "cache"
        self.publish(content)

    def publish(self, content: bytes) -> None:
        """A new build of the image."""
        self.content = content
        self.sha256 = hashlib.sha256(content).hexdigest()
        (self.server.folder / "a.qcow2").write_bytes(content)
        (self.server.folder / "SUMS").write_text(f"{self.sha256}  a.qcow2\n")

    def source(self, **params: Any) -> source.Source:
        return source.from_params(
            {"url": f"{self.server.url}/a.qcow2", "checksum": f"{self.server.url}/SUMS", **params}
        )

    def task(self, refresh: str = "missing", **params: Any) -> tuple[Cached, bool]:
        """What a task ends with, and whether it had to download."""
        library = Library(Cache(str(self.folder)), Policy(refresh=refresh, timeout=5))
        wanted = self.source(**params)
        found, identity = library.current(wanted)
        return (found, False) if found else (library.obtain(wanted, identity), True)

    def asked(self) -> list[str]:
        """The requests since the last call."""
        asked, self.server.requests[:] = [line.rsplit(" ", 1)[0] for line in self.server.requests], []
        return asked

    def files(self) -> list[str]:
        return sorted(p.name for p in self.folder.iterdir() if p.suffix != ".lock") if self.folder.exists() else []


@pytest.fixture
def site(server: ImageServer, tmp_path: pathlib.Path, qcow2: Callable[..., bytes]) -> Site:
    return Site(server, tmp_path, qcow2())


def refused(action: Callable[[], Any]) -> str:
    with pytest.raises(Failure) as failure:
        action()
    return failure.value.message


def test_first_the_list_then_the_image_then_nothing(site: Site) -> None:
    image, fetched = site.task()
    assert fetched
    assert pathlib.Path(image.path).read_bytes() == site.content
    assert str(image.identity) == f"sha256:{site.sha256}"
    assert site.asked() == ["GET /SUMS", "GET /a.qcow2"]
    assert site.task() == (image, False)
    assert site.asked() == []


def test_newer_asks_for_the_list_and_fetches_only_a_new_build(site: Site, qcow2: Callable[..., bytes]) -> None:
    site.task()
    site.asked()
    assert not site.task(refresh="newer")[1]
    assert site.asked() == ["GET /SUMS"]
    site.publish(qcow2(capacity=1 << 31))
    assert not site.task()[1]
    image, fetched = site.task(refresh="newer")
    assert fetched
    assert image.sha256 == site.sha256


def test_newer_without_checksum_goes_by_the_etag(site: Site, qcow2: Callable[..., bytes]) -> None:
    assert site.task(checksum="none")[1]
    site.asked()
    assert not site.task(refresh="newer", checksum="none")[1]
    assert site.asked() == ["HEAD /a.qcow2"]
    site.publish(qcow2(capacity=1 << 31))
    assert site.task(refresh="newer", checksum="none")[1]


def test_an_explicit_checksum_needs_no_list(site: Site) -> None:
    image, _fetched = site.task(checksum=f"sha256:{site.sha256}")
    assert site.asked() == ["GET /a.qcow2"]
    assert image.sha256 == site.sha256


def test_another_explicit_checksum_is_another_image(site: Site, qcow2: Callable[..., bytes]) -> None:
    site.task()
    site.publish(qcow2(capacity=1 << 31))
    assert site.task(checksum=f"sha256:{site.sha256}")[1]


def test_a_wrong_checksum_leaves_nothing(site: Site) -> None:
    message = refused(lambda: site.task(checksum=f"sha256:{'0' * 64}"))
    assert "does not have its checksum" in message
    assert site.files() == []


@pytest.mark.parametrize("content", [b"<html>", b"QFI\xfb"])
def test_what_is_no_image_leaves_nothing(site: Site, content: bytes) -> None:
    site.publish(content)
    refused(site.task)
    assert site.files() == []


def test_what_nobody_vouched_for_does_not_do_for_a_task_with_a_checksum(site: Site) -> None:
    site.task(checksum="none")
    (site.server.folder / "SUMS").write_text(f"{'0' * 64}  a.qcow2")
    assert "does not have its checksum" in refused(site.task)


def test_a_list_without_the_image(site: Site) -> None:
    (site.server.folder / "SUMS").write_text("nothing")
    assert "has no SHA-256 or SHA-512 for a.qcow2" in refused(site.task)
    assert site.files() == []


def test_a_damaged_cache_is_not_trusted(site: Site) -> None:
    image, _fetched = site.task()
    pathlib.Path(image.path).write_bytes(b"x")
    assert site.task()[1]
    pathlib.Path(f"{image.path}.json").write_text("{}")
    assert site.task()[1]
    pathlib.Path(image.path).unlink()
    assert site.task()[1]


def test_forgetting_leaves_nothing(site: Site) -> None:
    site.task()
    Cache(str(site.folder)).forget(site.source())
    assert site.files() == []


def test_a_download_that_another_process_made_meanwhile_is_taken(site: Site) -> None:
    library = Library(Cache(str(site.folder)), Policy(timeout=5))
    _found, identity = library.current(site.source())
    site.task()
    site.asked()
    library.obtain(site.source(), identity)
    assert site.asked() == []


def test_a_cache_that_cannot_be_used(site: Site) -> None:
    site.folder.write_text("a file where the folder should be")
    assert "Choose another cache_dir" in refused(site.task)


def test_files_of_this_machine(site: Site, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "local.qcow2"
    path.write_bytes(site.content)
    library = Library(Cache(str(site.folder)), Policy())
    for params in ({"path": str(path)}, {"url": f"file://{path}"}):
        found, identity = library.current(source.from_params({**params, "checksum": f"sha256:{site.sha256}"}))
        assert found is not None
        assert found.path == str(path)
        assert str(identity) == f"sha256:{site.sha256}"
    wrong = source.from_params({"path": str(path), "checksum": f"sha512:{'0' * 128}"})
    assert "does not have its checksum" in refused(lambda: library.current(wrong))
    assert site.files() == []


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"url": "https://example.com/a.img"}, "needs its checksum"),
        ({"url": "ftp://example.com/a.img", "checksum": "none"}, "is not the address of an image"),
        ({"url": "https://example.com/", "checksum": "none"}, "is not the address of an image"),
        ({"path": "/a.img", "checksum": "https://example.com/SUMS"}, "a file of this machine needs the checksum"),
        ({"name": "debian-99", "arch": "x86_64"}, "There is no image 'debian-99'"),
        ({"url": "http://[::1/a.img", "checksum": "none"}, "'http://[::1/a.img' is not the address of an image"),
        ({"url": "file://[x/a.img", "checksum": "none"}, "is not the address of an image"),
        ({"url": "http://h:port/a.img", "checksum": "none"}, "is not the address of an image"),
        ({"url": "ftp://bob:hunter2@h/a.img", "checksum": "none"}, "'ftp://bob:********@h/a.img' is not the address"),
        ({"url": "http://h/a.img", "checksum": "http://[::1/S"}, "is not a checksum. Write sha256:"),
        ({"url": "http://h/a.img", "checksum": "http:S"}, "checksum: 'http:S' is not an address to download from"),
        (
            {"url": "http://h/a.img", "checksum": "http://h/S", "signature_url": "file:///etc/passwd"},
            "signature_url: 'file:///etc/passwd' is not an address to download from",
        ),
    ],
)
def test_wrong_sources(params: dict[str, Any], message: str) -> None:
    assert message in refused(lambda: source.from_params(params))


@pytest.mark.parametrize("option", ["checksum_url", "signature_url"])
@pytest.mark.parametrize("address", ["file:///etc/passwd", "nope", "http://[::1/S", "ftp://h/S"])
def test_a_catalogue_names_only_what_can_be_downloaded(tmp_path: pathlib.Path, option: str, address: str) -> None:
    entry = {"url": "http://h/a.img", "checksum_url": "http://h/S", option: address}
    catalogue = tmp_path / "images.json"
    catalogue.write_text(json.dumps({"mine": entry}))
    message = refused(lambda: source.from_params({"name": "mine", "arch": "x86_64", "catalogue": str(catalogue)}))
    assert f"the {option} of the image 'mine': '{address}' is not an address to download from" in message


def test_an_entry_without_checksums_needs_one_too(tmp_path: pathlib.Path) -> None:
    catalogue = tmp_path / "images.json"
    catalogue.write_text(json.dumps({"mine": {"url": "http://h/a.img"}}))
    params = {"name": "mine", "arch": "x86_64", "catalogue": str(catalogue)}
    message = refused(lambda: source.from_params(params))
    assert message.startswith("The image 'mine' has no checksum_url in the catalogue, so it needs its checksum: give")
    for more in ({"checksum": "none"}, {"checksum": f"sha256:{'0' * 64}"}, {"state": "absent"}):
        assert source.from_params({**params, **more}).url == "http://h/a.img"


def test_an_address_is_quoted_where_it_must_be(site: Site) -> None:
    (site.server.folder / "%C3%BC%20b.qcow2").write_bytes(site.content)  # this server takes an address as it comes
    (site.server.folder / "SUMS").write_text(f"{site.sha256}  \u00fc b.qcow2\n", encoding="utf-8")
    url = f"{site.server.url}/\u00fc b.qcow2"
    image, fetched = site.task(url=url)
    assert fetched
    assert site.asked() == ["GET /SUMS", "GET /%C3%BC%20b.qcow2"]
    assert site.task(url=f"{site.server.url}/%C3%BC%20b.qcow2") == (image, False)


def test_a_password_in_an_address_is_neither_shown_nor_kept(site: Site) -> None:
    secret = site.server.url.replace("//", "//bob:hunter2@")
    image, fetched = site.task(url=f"{secret}/a.qcow2", checksum=f"{secret}/SUMS")
    assert fetched
    assert not site.task(url=f"{secret}/a.qcow2", checksum=f"{secret}/SUMS")[1]
    assert site.source(url=f"{secret}/a.qcow2").where == f"{secret}/a.qcow2".replace("hunter2", "********")
    for path in site.folder.iterdir():
        assert b"hunter2" not in path.read_bytes()
    (site.server.folder / "SUMS").write_text("nothing")
    wrong = [
        {"url": f"{secret}/a.qcow2", "checksum": f"{secret}/SUMS"},
        {"url": f"{secret}/a.qcow2", "checksum": f"{secret}/none"},
        {"url": f"{secret}/none.qcow2", "checksum": "none"},
        {"url": f"{secret}/a.qcow2", "checksum": f"sha256:{'0' * 64}"},
    ]
    messages = [refused(functools.partial(site.task, refresh="newer", **params)) for params in wrong]
    assert "hunter2" not in str(messages)
    assert str(messages).count("//bob:********@") == 4
    assert source.secrets({"url": f"{secret}/a", "checksum": f"{secret}/S", "signature_url": None}) == {":hunter2@"}


def test_names_that_a_source_gives() -> None:
    named = source.from_params({"name": "noble", "arch": "aarch64"})
    assert (named.label, named.suffix) == ("ubuntu-24.04-aarch64", ".qcow2")
    own = source.from_params({"url": "https://example.com/a/My%20Image%3F.raw", "checksum": "none"})
    assert (own.label, own.suffix) == ("My-Image", ".raw")
    assert source.from_params({"path": "/x/disk"}).suffix == ".img"


def test_signed_lists(site: Site, tmp_path: pathlib.Path) -> None:
    library = Library(Cache(str(site.folder)), Policy(keyring=str(tmp_path / "keys"), timeout=5))
    assert "does not sign its checksums" in refused(lambda: library.current(site.source()))
    site.task()  # without verification: does not count for a task that asks for one
    assert library.known(site.source()) is None


def test_a_full_disk_at_the_last_moment_is_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any, **_options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    cache, wanted = Cache(str(site.folder)), site.source()
    site.folder.mkdir()
    pathlib.Path(cache.path_of(wanted)).touch()
    monkeypatch.setattr(json, "dump", full)
    message = refused(lambda: cache.remember(wanted, Cached(cache.path_of(wanted), None, "")))
    assert message.startswith(f"Cannot write into the cache {site.folder}: No space left on device. Free some space")


def test_a_download_that_never_ended_can_be_forgotten(site: Site) -> None:
    host = FakeHost(FakeStream())
    cache, wanted = Cache(str(site.folder)), site.source()
    assert not cache.holds(wanted)
    site.folder.mkdir()
    for suffix in (".part", ".part.json"):
        pathlib.Path(cache.path_of(wanted) + suffix).touch()
        assert cache.holds(wanted)
    params = {**dict.fromkeys(("pool", "volume")), "state": "absent", "verify_signature": False, "url": wanted.url}
    task = cloud_image({**params, "checksum": "none", "cache_dir": str(site.folder)}, host)
    plan = task.plan(task.read())
    assert [action.summary for action in plan.actions] == [f"delete {cache.path_of(wanted)}"]
    plan.apply(host)
    assert site.files() == []
    assert not task.plan(task.read()).changed


def task_without_pool(site: Site, **options: Any) -> tuple[bool, dict[str, Any]]:
    """Whether the module's task changed something, and the changes."""
    names = ("pool", "volume", "path", "format", "keyring", "signature_url")
    params = {**dict.fromkeys(names), "state": "present", "verify_signature": False, "timeout": 5, **options}
    host = FakeHost(FakeStream())
    plan, _result = perform(cloud_image({**params, "cache_dir": str(site.folder)}, host), check_mode=False)
    return plan.changed, render_diff(plan.changes)


def test_the_same_content_again_is_no_change(site: Site, qcow2: Callable[..., bytes]) -> None:
    site.server.requests.append("first")  # the first answer of plain/ breaks off
    task = {"url": f"{site.server.url}/plain/a.qcow2", "checksum": "none", "refresh": "newer"}
    assert task_without_pool(site, **task)[0]
    assert task_without_pool(site, **task) == (False, {"before": "", "after": ""})
    site.publish(qcow2(capacity=1 << 31))
    assert task_without_pool(site, **task)[0]


def test_a_local_file_needs_no_cache(site: Site, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "local.qcow2"
    path.write_bytes(site.content)
    monkeypatch.setattr(PoolImage, "write", lambda _image, path, _format: uploaded.append(path))
    monkeypatch.setattr(PoolImage, "describe", lambda _image: None)
    uploaded: list[str] = []
    site.folder.write_text("a file where the folder of the cache should be")
    assert task_without_pool(site, path=str(path), refresh="missing", pool="images", volume="a.qcow2")[0]
    assert uploaded == [str(path)]


def test_a_lock_of_another_user_is_enough_to_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    really_open = os.open

    def open_as_somebody_else(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_RDWR and os.path.exists(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return really_open(path, flags, mode)

    cache = Cache(str(site.folder))
    with cache.lock("a"):
        pass
    (lock,) = site.folder.iterdir()
    assert lock.stat().st_mode & 0o044
    monkeypatch.setattr(os, "open", open_as_somebody_else)
    with cache.lock("a"), lock.open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_another_user_downloaded_cannot_be_replaced_or_deleted(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    site.task()
    monkeypatch.setattr(os, "replace", refuse)
    message = refused(functools.partial(site.task, checksum="none", url=f"{site.server.url}/plain/a.qcow2"))
    assert message.endswith(
        "Operation not permitted. Another user may have downloaded it there. Choose another cache_dir."
    )
    assert not [name for name in site.files() if ".part" in name]
    monkeypatch.setattr(os, "unlink", refuse)
    assert "Operation not permitted. It may be another user's." in refused(
        lambda: Cache(str(site.folder)).forget(site.source())
    )
