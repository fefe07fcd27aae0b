# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Creating volumes with content: all of it, or no volume."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage import volume_create
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.upload_mark import marks, new_mark
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_create import (
    clone_volume,
    create_with_content,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_definition import VolumeSpec
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

    def reopened(_options: Any) -> Any:
        again.volumes.update({name: again.volume(name) for name in host.volumes})
        return contextlib.nullcontext(again)

    monkeypatch.setattr(volume_create, "connect", reopened)
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


def test_an_upload_that_another_one_took_over_deletes_nothing_of_it() -> None:
    def taken_over() -> Iterator[bytes]:
        (mark,) = marks(host, host.pool, "v")
        host.volumes["v.00000000.uploading"] = host.volumes.pop(mark)
        yield b"too much content"

    host = FakeHost(FakeStream())
    with pytest.raises(Failure, match="its source changed"):
        create(host, taken_over())
    assert sorted(host.volumes) == ["v", "v.00000000.uploading"]


@pytest.mark.parametrize(("silence", "refused"), [(10, True), (-10, True), (600, False)])
def test_what_somebody_else_writes_now_is_not_taken_away(silence: float, refused: bool) -> None:
    host = FakeHost(FakeStream())
    host.volumes["v.00000000.uploading"] = host.volume("v.00000000.uploading")
    host.written = time.time() - silence
    if refused:
        with pytest.raises(Failure, match="'v' of the storage pool 'images' is being written from another"):
            create(host)
        assert list(host.volumes) == ["v.00000000.uploading"]
    else:
        create(host)
        assert list(host.volumes) == ["v"]


def test_marks_tell_machines_and_hypervisors_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    host, other = FakeHost(FakeStream()), FakeHost(FakeStream())
    other.connection.getHostname = lambda: "hv2"
    tags = [new_mark(host, "v")[:6], new_mark(host, "v")[:6], new_mark(other, "v")[:6]]
    monkeypatch.setattr(socket, "gethostname", lambda: "another machine")
    assert len({*tags, new_mark(host, "v")[:6]}) == 3


def test_an_own_upload_that_died_is_replaced_at_once() -> None:
    host = FakeHost(FakeStream())
    mark = new_mark(host, "v")
    host.volumes[mark] = host.volume(mark)
    host.written = time.time()
    create(host)
    assert list(host.volumes) == ["v"]


def test_while_a_volume_is_copied_a_mark_stands_beside_it() -> None:
    host = FakeHost(FakeStream())
    host.copying = lambda: seen.extend(host.volumes)
    seen: list[str] = []
    clone_volume(host, host.pool, VolumeSpec("v", 1, "raw"), host.volume("origin"))
    assert re.fullmatch(r"v\.[0-9a-f]{8}\.uploading", " ".join(seen))
    assert list(host.volumes) == ["v"]


@pytest.mark.parametrize("alive", [True, False])
def test_only_a_copy_whose_daemon_died_keeps_its_mark(alive: bool) -> None:
    def fail() -> None:
        host.alive = alive
        raise Failure("End of file while reading data")

    host = FakeHost(FakeStream())
    host.copying = fail
    with pytest.raises(Failure, match="End of file"):
        clone_volume(host, host.pool, VolumeSpec("v", 1, "raw"), host.volume("origin"))
    assert bool(marks(host, host.pool, "v")) is not alive
