# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Creating volumes with content: all of it, or no volume."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage import volume_create
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.upload_mark import marks
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_create import create_with_content
from tests.unit.plugins.module_utils._storage.fake_stream import FakeHost, FakeStream


def create(host: FakeHost, source: Any = (b"content",)) -> None:
    """Create the volume ``v`` from seven bytes."""
    create_with_content(host, host.pool, "v", source, 7)


def test_a_volume_gets_its_content() -> None:
    host = FakeHost(FakeStream())
    create(host)
    assert list(host.volumes) == ["v"]
    assert host.stream.received == b"content"


def test_while_it_is_written_a_mark_stands_beside_it() -> None:
    def source() -> Iterator[bytes]:
        seen.extend(marks(host, host.pool, "v"))
        yield b"content"

    seen: list[str] = []
    host = FakeHost(FakeStream())
    create(host, source())
    assert len(seen) == 1
    assert re.fullmatch(r"v\.[0-9a-f]{8}\.uploading", seen[0])
    assert list(host.volumes) == ["v"]


def test_the_mark_of_an_upload_that_died_is_removed() -> None:
    host = FakeHost(FakeStream())
    for name in ("v.00000000.uploading", "w.00000000.uploading", "v.copy"):
        host.volumes[name] = host.volume(name)
    create(host)
    assert sorted(host.volumes) == ["v", "v.copy", "w.00000000.uploading"]


def test_a_name_that_is_taken_stays_as_it_is() -> None:
    host = FakeHost(FakeStream())
    host.volumes["v"] = other = host.volume("v")
    with pytest.raises(Failure, match="exists already"):
        create(host)
    assert host.volumes == {"v": other}


def test_a_failed_upload_leaves_no_volume() -> None:
    host = FakeHost(FakeStream(fail_after=3))
    with pytest.raises(Failure, match="No space left on device. Free some space on the storage pool's host.$"):
        create(host)
    assert host.volumes == {}


def test_neither_does_one_that_is_interrupted() -> None:
    def interrupted() -> Iterator[bytes]:
        yield b"con"
        raise KeyboardInterrupt

    host = FakeHost(FakeStream())
    with pytest.raises(KeyboardInterrupt):
        create(host, interrupted())
    assert host.volumes == {}


def test_a_lost_connection_is_opened_again_to_clean_up(monkeypatch: pytest.MonkeyPatch) -> None:
    host = FakeHost(FakeStream(fail_after=3), alive=False)
    again = FakeHost(FakeStream())
    again.volumes["v"] = again.volume("v")
    monkeypatch.setattr(volume_create, "connect", lambda _options: contextlib.nullcontext(again))
    with pytest.raises(Failure, match="No space left"):
        create(host)
    assert again.volumes == {}


def test_what_cannot_be_cleaned_up_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_options: Any) -> Any:
        raise Failure("Cannot connect.")

    host = FakeHost(FakeStream(fail_after=3), alive=False)
    monkeypatch.setattr(volume_create, "connect", refused)
    with pytest.raises(Failure, match="The incomplete volume 'v' could not be removed .*The next run"):
        create(host)
    assert len(marks(host, host.pool, "v")) == 1


def test_what_does_not_fit_is_not_begun() -> None:
    host = FakeHost(FakeStream())
    host.available = 6
    with pytest.raises(
        Failure, match="No space left on device. Free some space.*it takes 1 MiB.*'images' has 0 MiB left"
    ):
        create(host)
    assert host.volumes == {}
    assert host.stream.received == b""
