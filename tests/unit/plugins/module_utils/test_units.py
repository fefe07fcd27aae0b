# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes as people and libvirt write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._units import Size, format_size, parse_size


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (4096, 4096),
        ("4096", 4096),
        ("1 KiB", 1024),
        ("1K", 1024),
        ("1k", 1024),
        ("1 KB", 1000),
        ("512MiB", 512 * 1024**2),
        ("4 GiB", 4 * 1024**3),
        ("20G", 20 * 1024**3),
        ("20 GB", 20 * 1000**3),
        ("1.5 GiB", 3 * 1024**3 // 2),
        ("2 TiB", 2 * 1024**4),
        ("10 bytes", 10),
    ],
)
def test_reads_what_a_person_writes(written: str | int, expected: int) -> None:
    assert parse_size(written) == expected


@pytest.mark.parametrize("wrong", ["4 Gib2", "much", "-1 GiB", "4 XiB", "", "1e3", "4 GiBs"])
def test_refuses_what_is_no_size_and_says_how_to_write_one(wrong: str) -> None:
    with pytest.raises(Failure, match=r"memory: .* is not a size\. Write a number with a unit"):
        parse_size(wrong, "memory")


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=2**63))
def test_what_is_shown_can_be_read_back(size: int) -> None:
    assert parse_size(format_size(size)) == size


def test_a_size_prints_for_people_and_counts_for_programs() -> None:
    size = Size(2 * 1024**3)
    assert str(size) == "2 GiB"
    assert size + 1 == 2147483649
