# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Uploads and downloads: complete and checked, or failed with a sentence."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.checksum import Checksum
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.blocks import BLOCK, Hole
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.transfer import add, download, upload
from tests.unit.plugins.module_utils._storage.fake_stream import FakeHost, FakeStream

CONTENT = b"begin" + bytes(3 * BLOCK) + b"end"


def uploaded(stream: FakeStream, source: Any, length: int, **options: Any) -> bytes:
    """What arrives in a volume."""
    host = FakeHost(stream)
    upload(host, host.volume("v"), source, length, **options)
    return stream.received


def sha256(content: bytes) -> Checksum:
    return Checksum("sha256", hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("source", [io.BytesIO(CONTENT), [CONTENT], iter([CONTENT[:7], CONTENT[7:]])])
def test_the_content_arrives_whole(source: Any) -> None:
    stream = FakeStream()
    assert uploaded(stream, source, len(CONTENT), checksum=sha256(CONTENT)) == CONTENT
    assert stream.holes > 0
    assert stream.ended == "finish"


def test_an_error_that_the_daemon_forgets_is_noticed() -> None:
    stream = FakeStream()
    stream.lost = 5
    with pytest.raises(Failure, match=f"only {len(CONTENT) - 5} of {len(CONTENT)} bytes arrived.*Free some space"):
        uploaded(stream, [CONTENT], len(CONTENT))


def test_zeros_are_sent_where_holes_are_not_wanted() -> None:
    stream = FakeStream()
    assert uploaded(stream, [CONTENT], len(CONTENT), sparse=False) == CONTENT
    assert stream.holes == 0


@pytest.mark.parametrize(
    ("stream", "length", "checksum", "sentence"),
    [
        (FakeStream(), len(CONTENT) + 1, None, "its source changed"),
        (FakeStream(), len(CONTENT) - 1, None, "its source changed"),
        (FakeStream(), len(CONTENT), sha256(b"other"), "The content for the volume 'v' does not have the checksum"),
        (FakeStream(fail_after=10), len(CONTENT), None, "Cannot write the volume 'v': No space left.*Free some space"),
    ],
)
def test_a_failed_upload_is_aborted(stream: FakeStream, length: int, checksum: Checksum | None, sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        uploaded(stream, [b"x" * len(CONTENT)] if stream.fail_after else [CONTENT], length, checksum=checksum)
    assert stream.ended == "abort"


def test_a_source_that_cannot_be_read_is_a_sentence() -> None:
    class Broken:
        def read(self, _size: int) -> bytes:
            raise OSError(5, "Input/output error")

    stream = FakeStream()
    with pytest.raises(Failure, match="its source cannot be read: Input/output error"):
        uploaded(stream, Broken(), 10)
    assert stream.ended == "abort"


def test_a_download_hands_over_blocks_and_holes() -> None:
    stream = FakeStream(content=b"data")
    host = FakeHost(stream)
    got: list[Any] = []
    download(host, host.volume("v"), got.append, got.append)
    assert got == [b"data", 4096]
    assert stream.ended == "finish"


def test_a_broken_download_is_aborted() -> None:
    stream = FakeStream(fail_after=0)
    host = FakeHost(stream)
    with pytest.raises(Failure, match="Cannot read the volume 'v': Connection reset by peer"):
        download(host, host.volume("v"), lambda _block: None, lambda _length: None)
    assert stream.ended == "abort"


@pytest.mark.parametrize("length", [0, 1, BLOCK, BLOCK + 1, 3 * BLOCK - 1])
def test_a_hole_counts_as_zeros(length: int) -> None:
    digest = hashlib.sha256()
    add(digest, Hole(length))
    assert digest.hexdigest() == hashlib.sha256(bytes(length)).hexdigest()
