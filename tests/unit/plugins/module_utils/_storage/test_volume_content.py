# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Saving a volume to a file: complete, or not at all."""

from __future__ import annotations

import hashlib
import pathlib

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.checksum import Checksum
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_content import (
    file_mode,
    same_content,
    save,
)
from tests.unit.plugins.module_utils._storage.fake_stream import FakeHost, FakeStream

CONTENT = b"data" + bytes(4096)  # the fake stream adds a hole at the end


def saved(stream: FakeStream, path: pathlib.Path, checksum: Checksum | None = None) -> None:
    host = FakeHost(stream)
    save(host, host.volume("v"), str(path), "0640", checksum)


def test_the_file_has_the_content_and_the_mode(tmp_path: pathlib.Path) -> None:
    checksum = Checksum("sha256", hashlib.sha256(CONTENT).hexdigest())
    saved(FakeStream(content=b"data"), tmp_path / "v", checksum)
    assert (tmp_path / "v").read_bytes() == CONTENT
    assert file_mode(str(tmp_path / "v")) == "0640"
    assert list(tmp_path.iterdir()) == [tmp_path / "v"]


@pytest.mark.parametrize(
    ("stream", "checksum", "sentence"),
    [
        (FakeStream(content=b"data", fail_after=0), None, "Cannot read the volume"),
        (FakeStream(content=b"data"), Checksum("sha256", "0" * 64), "The content of the volume 'v' does not have"),
    ],
)
def test_the_old_file_stays_when_it_fails(
    tmp_path: pathlib.Path, stream: FakeStream, checksum: Checksum | None, sentence: str
) -> None:
    (tmp_path / "v").write_bytes(b"old")
    with pytest.raises(Failure, match=sentence):
        saved(stream, tmp_path / "v", checksum)
    assert (tmp_path / "v").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "v"]


def test_a_folder_that_cannot_be_written(tmp_path: pathlib.Path) -> None:
    with pytest.raises(Failure, match="Cannot write .*: No such file or directory"):
        saved(FakeStream(), tmp_path / "none" / "v")


def test_content_is_compared_byte_for_byte(tmp_path: pathlib.Path) -> None:
    host = FakeHost(FakeStream(content=b"data"))
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    assert same_content(host, host.volume("v"), "images", str(path))
    path.write_bytes(CONTENT[:-1])
    assert not same_content(host, host.volume("v"), "images", str(path))


def test_no_file_has_no_mode(tmp_path: pathlib.Path) -> None:
    assert file_mode(str(tmp_path / "none")) is None
