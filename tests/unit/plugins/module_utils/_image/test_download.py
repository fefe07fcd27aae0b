# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import pathlib
import socket
import ssl
from typing import Any
from urllib.error import URLError

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import download
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.checksum import Checksum
from tests.integration.targets.cloud_image.files.image_server import ImageServer

CONTENT = os.urandom(200_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
SHA512 = Checksum("sha512", hashlib.sha512(CONTENT).hexdigest())
TIMEOUT = 5


@pytest.fixture
def target(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "image"


@pytest.fixture
def image(server: ImageServer) -> str:
    (server.folder / "a.img").write_bytes(CONTENT)
    return f"{server.url}/a.img"


def fetch(url: str, target: pathlib.Path, expected: Checksum | None = SHA512) -> download.Downloaded:
    return download.fetch(url, str(target), expected, TIMEOUT)


def refused(url: str, target: pathlib.Path, expected: Checksum | None = SHA512) -> str:
    with pytest.raises(Failure) as failure:
        fetch(url, target, expected)
    return failure.value.message


def left_in(folder: pathlib.Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def leave_memo(target: pathlib.Path, url: str, etag: str | None) -> None:
    """As an earlier run does that broke off."""
    target.with_name("image.part.json").write_text(json.dumps({"url": url, "etag": etag}))


def test_content_arrives_with_its_checksum(image: str, target: pathlib.Path) -> None:
    downloaded = fetch(image, target)
    assert target.read_bytes() == CONTENT
    assert downloaded.sha256 == SHA256
    assert downloaded.etag
    assert left_in(target.parent) == ["image"]


def test_wrong_checksum_leaves_nothing(image: str, target: pathlib.Path) -> None:
    message = refused(image, target, Checksum("sha256", "0" * 64))
    assert f"its sha256 is {SHA256}, not {'0' * 64}. It was deleted." in message
    assert left_in(target.parent) == []


def test_wrong_checksum_leaves_an_earlier_image_alone(image: str, target: pathlib.Path) -> None:
    target.write_bytes(b"earlier")
    refused(image, target, Checksum("sha256", "0" * 64))
    assert target.read_bytes() == b"earlier"
    assert left_in(target.parent) == ["image"]


def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(
    server: ImageServer, image: str, target: pathlib.Path
) -> None:
    fetch(f"{server.url}/broken/a.img", target)
    assert target.read_bytes() == CONTENT
    assert [line.split()[2] for line in server.requests] == [
        "-",
        "bytes=65536-",
        "bytes=131072-",
        "bytes=196608-",
    ]


def test_a_later_run_goes_on_where_the_last_one_stopped(
    server: ImageServer, image: str, target: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(download, "_FRUITLESS", 0)
        refused(f"{server.url}/broken/a.img", target)
    assert left_in(target.parent) == ["image.part", "image.part.json"]
    fetch(f"{server.url}/broken/a.img", target)
    assert server.requests[1] == "GET /broken/a.img bytes=65536-"
    assert left_in(target.parent) == ["image"]


def test_content_that_changed_meanwhile_is_not_mixed(server: ImageServer, image: str, target: pathlib.Path) -> None:
    part = target.with_name("image.part")
    part.write_bytes(b"old" * 1000)
    leave_memo(target, image, '"other"')
    fetch(image, target)
    assert target.read_bytes() == CONTENT


def test_a_part_of_another_address_is_not_used(server: ImageServer, image: str, target: pathlib.Path) -> None:
    target.with_name("image.part").write_bytes(b"old" * 1000)
    leave_memo(target, "http://elsewhere/", '"x"')
    fetch(image, target)
    assert server.requests == ["GET /a.img -"]


def test_a_part_that_is_already_complete_is_fetched_again(
    server: ImageServer, image: str, target: pathlib.Path
) -> None:
    etag = download.etag(image, TIMEOUT)
    target.with_name("image.part").write_bytes(CONTENT)
    leave_memo(target, image, etag)
    fetch(image, target)
    assert target.read_bytes() == CONTENT
    assert server.requests[1:] == ["GET /a.img bytes=200000-", "GET /a.img -"]


@pytest.mark.usefixtures("image")
def test_a_server_without_ranges_that_breaks_off_starts_over(server: ImageServer, target: pathlib.Path) -> None:
    target.with_name("image.part").write_bytes(b"old")
    fetch(f"{server.url}/plain/a.img", target)
    assert target.read_bytes() == CONTENT
    assert server.requests == ["GET /plain/a.img -", "GET /plain/a.img -"]


def test_an_address_with_nothing_there(server: ImageServer, target: pathlib.Path) -> None:
    assert refused(f"{server.url}/none.img", target) == (
        f"Cannot download {server.url}/none.img: the server answers 404 Not Found. There is nothing at this "
        "address: check it, or the entry of the catalogue."
    )
    assert left_in(target.parent) == []


def test_a_server_that_is_not_there(target: pathlib.Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/a.img"
        assert "Connection refused. Check the address" in refused(url, target)


def test_a_server_that_says_nothing(target: pathlib.Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(Failure) as failure:
            download.fetch(f"http://127.0.0.1:{silent.getsockname()[1]}/a.img", str(target), None, 0.2)
    assert "no answer in time (timeout)" in failure.value.message


def test_a_full_disk_is_said_and_freed(image: str, target: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, block: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def open_full(path: str, mode: str = "r", **options: Any) -> Any:
        return Full() if mode == "wb" else open(path, mode, **options)

    monkeypatch.setattr(download, "open", open_full, raising=False)
    assert "the disk is full" in refused(image, target)
    assert left_in(target.parent) == []


def test_small_files_are_bounded(server: ImageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    (server.folder / "SUMS").write_bytes(b"x" * 100)
    assert download.fetch_small(f"{server.url}/SUMS", TIMEOUT) == b"x" * 100
    monkeypatch.setattr(download, "_SMALL", 99)
    with pytest.raises(Failure, match="no checksum list"):
        download.fetch_small(f"{server.url}/SUMS", TIMEOUT)


def answer_with(monkeypatch: pytest.MonkeyPatch, **headers: str) -> None:
    class Answer(io.BytesIO):
        status = 200

    answer = Answer(CONTENT)
    answer.headers = {name.replace("_", "-"): value for name, value in headers.items()}  # type: ignore[attr-defined]
    monkeypatch.setattr(download, "open_url", lambda *_arguments, **_options: answer)


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_arguments: Any, **_options: Any) -> None:
        raise error

    monkeypatch.setattr(download, "open_url", fail)


def test_a_length_that_is_no_number(target: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(monkeypatch, Content_Length="abc")
    assert "the server says that the content has 'abc' bytes" in refused("http://h/a.img", target)


def test_a_redirection_to_what_is_no_address(target: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, ValueError("Invalid IPv6 URL"))
    assert "Cannot download http://h/a.img: Invalid IPv6 URL." in refused("http://h/a.img", target)
    for ask in (download.fetch_small, download.etag):
        with pytest.raises(Failure, match="Invalid IPv6 URL"):
            ask("http://h/a.img", TIMEOUT)


def test_a_certificate_that_is_not_trusted(target: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, URLError(ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed")))
    message = refused("https://h/a.img", target)
    assert "certificate verify failed: self-signed. This machine does not trust the certificate" in message


def test_a_proxy_that_is_not_there(target: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://bob:hunter2@proxy:3128")
    monkeypatch.setenv("no_proxy", "direct")
    fail_with(monkeypatch, URLError(OSError(errno.ECONNREFUSED, "Connection refused")))
    advice = "Check the address, and the proxy http://bob:********@proxy:3128 that the environment"
    assert f"Connection refused. {advice}" in refused("http://h/a.img", target)
    assert "proxy" not in refused("http://direct/a.img", target)
