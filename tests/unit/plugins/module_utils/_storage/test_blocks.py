# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Content and its holes."""

from __future__ import annotations

import io
import os
import pathlib
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.blocks import BLOCK, Hole, allocated, pieces


def joined(found: Any) -> bytes:
    """The content that pieces stand for."""
    return b"".join(bytes(piece.length) if isinstance(piece, Hole) else piece for piece in found)


def sizes(found: Any) -> list[int]:
    """The length of each piece, negative for a hole."""
    return [-piece.length if isinstance(piece, Hole) else len(piece) for piece in found]


@pytest.fixture
def file_with_holes(tmp_path: pathlib.Path) -> pathlib.Path:
    """Data, a hole, data that is not a whole number of blocks, and a hole at the end."""
    path = tmp_path / "image.raw"
    with path.open("wb") as file:
        file.write(b"a" * BLOCK)
        file.seek(8 * BLOCK)
        file.write(b"b" * 4096)
        file.truncate(100 * BLOCK + 7)
    return path


@pytest.mark.parametrize("sparse", [True, False])
def test_the_pieces_of_a_file_are_its_content(file_with_holes: pathlib.Path, sparse: bool) -> None:
    with file_with_holes.open("rb") as file:
        assert joined(pieces(file, sparse)) == file_with_holes.read_bytes()


def test_holes_are_not_read(file_with_holes: pathlib.Path) -> None:
    with file_with_holes.open("rb") as file:
        found = sizes(pieces(file, sparse=True))
    assert sum(size for size in found if size > 0) <= BLOCK + 64 * 1024  # whole blocks of the file system
    assert found[0] == BLOCK
    assert found[-1] < -90 * BLOCK


def test_a_file_that_is_one_hole(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "empty.raw"
    with path.open("wb") as file:
        file.truncate(10 << 40)  # 10 TiB would take hours to read
    with path.open("rb") as file:
        assert -sum(sizes(pieces(file, sparse=True))) == 10 << 40


@pytest.mark.parametrize("content", [b"", b"x", bytes(BLOCK), bytes(BLOCK) + b"x", b"x" + bytes(3 * BLOCK)])
@pytest.mark.parametrize("sparse", [True, False])
def test_any_source_will_do(content: bytes, sparse: bool, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with path.open("rb") as file:
        assert joined(pieces(file, sparse)) == content
    assert joined(pieces(io.BytesIO(content), sparse)) == content
    assert joined(pieces([content[:3], content[3:]], sparse)) == content


def test_zeros_are_holes_only_where_that_is_wanted() -> None:
    content = b"x" * BLOCK + bytes(BLOCK) + b"y"
    assert sizes(pieces([content], sparse=True)) == [BLOCK, -BLOCK, 1]
    assert sizes(pieces([content], sparse=False)) == [BLOCK, BLOCK, 1]


def test_no_piece_is_larger_than_a_block() -> None:
    assert max(sizes(pieces([b"x" * 10 * BLOCK], sparse=True))) == BLOCK


def test_a_pipe_has_no_holes_to_seek() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"content")
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        assert joined(pieces(file, sparse=True)) == b"content"


def test_only_what_takes_up_space_counts(file_with_holes: pathlib.Path) -> None:
    length = file_with_holes.stat().st_size
    with file_with_holes.open("rb") as file:
        assert BLOCK < allocated(file, length) < 2 * BLOCK
    assert allocated(io.BytesIO(b"content"), 7) == 7
    assert allocated([b"content"], 7) == 7


def test_what_a_device_takes_up_is_not_known() -> None:
    with open("/dev/zero", "rb") as device:
        assert allocated(device, 4096) == 4096
