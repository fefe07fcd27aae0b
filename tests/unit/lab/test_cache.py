# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cache: what is found there is whole, and built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab import LabError, cache


def build(folder: Path) -> None:
    (folder / "file").write_text("built", encoding="ascii")


def test_order_of_keys_does_not_matter() -> None:
    assert cache.recipe_hash({"a": 1, "b": (2, 3)}) == cache.recipe_hash({"b": (2, 3), "a": 1})


def test_other_content_is_another_recipe() -> None:
    assert cache.recipe_hash({"a": 1}) != cache.recipe_hash({"a": 2})


def test_built_once(tmp_path: Path) -> None:
    built = []

    def count(folder: Path) -> None:
        built.append(folder)
        build(folder)

    first = cache.cached("images", "x", {"a": 1}, count, "a moment", base=tmp_path)
    second = cache.cached("images", "x", {"a": 1}, count, "a moment", base=tmp_path)
    assert first == second
    assert (first / "file").read_text(encoding="ascii") == "built"
    assert len(built) == 1


def test_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        build(folder)
        raise LabError("no network")

    with pytest.raises(LabError, match="no network"):
        cache.cached("images", "x", {}, fail, "a moment", base=tmp_path)
    assert [path.name for path in (tmp_path / "images").iterdir()] == [".x.lock"]


def test_killed_build_is_removed_by_the_next(tmp_path: Path) -> None:
    leftover = tmp_path / "images/.x-0123.abc.new"
    leftover.mkdir(parents=True)
    cache.cached("images", "x", {}, build, "a moment", base=tmp_path)
    assert not leftover.exists()


def test_mounts_are_seen() -> None:
    assert "/proc" in cache.mounts_below(Path("/proc"))
    assert "/proc" in cache.mounts_below(Path("/"))
    assert cache.mounts_below(Path("/pro")) == []


def test_nothing_is_removed_through_a_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "mounts_below", lambda folder: [f"{folder}/proc"])
    with pytest.raises(LabError, match="still mounted"):
        cache.remove_tree(tmp_path)
    assert tmp_path.exists()
