# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Things that take long to build and are kept: .cache/lab/KIND/NAME-HASH, where HASH is that of the recipe.

A thing is built beside its place and then renamed, so that what is found there is always whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import LabError
from .run import say

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = REPOSITORY / ".cache" / "lab"


def recipe_hash(recipe: dict[str, Any]) -> str:
    """Return a short name for the content of a recipe, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:12]


def cached(
    kind: str, name: str, recipe: dict[str, Any], build: Callable[[Path], None], duration: str, base: Path = CACHE
) -> Path:
    """Return the folder with what C(build) makes of this recipe, building it only the first time.

    :param build: is given an empty folder to fill.
    :param duration: what to tell the person, such as C(about 40 s).
    """
    place = base / kind / f"{name}-{recipe_hash(recipe)}"
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f".{name}.lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.is_dir():  # another process may have built it while this one waited
            _remove_unfinished(place.parent, name)
            say(f"building {kind}/{name}, once, {duration}")
            _build(place, build)
    return place


def _build(place: Path, build: Callable[[Path], None]) -> None:
    """Build into a folder beside C(place) and move it there when it is whole."""
    fresh = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".new", dir=place.parent))
    fresh.chmod(0o755)
    try:
        build(fresh)
        os.rename(fresh, place)
    except BaseException:
        remove_tree(fresh)
        raise


def _remove_unfinished(folder: Path, name: str) -> None:
    """Remove what a build that was killed left behind. The caller holds the lock, so nobody builds it now."""
    for leftover in folder.glob(f".{name}-*.new"):
        remove_tree(leftover)


def mounts_below(folder: Path) -> list[str]:
    """Return where something is mounted in or below this folder, in this process's view."""
    table = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")
    points = [
        line.split()[1].encode("utf-8", "surrogateescape").decode("unicode_escape") for line in table.splitlines()
    ]
    inside = f"{folder.resolve()}".rstrip("/") + "/"
    return [point for point in points if f"{point}/".startswith(inside)]


def remove_tree(folder: Path) -> None:
    """Remove a folder with all it has, but never anything that is mounted into it.

    :raises LabError: something is mounted there.
    """
    if mounted := mounts_below(folder):
        raise LabError(f"{mounted[0]} is still mounted, so {folder} was not removed; unmount it and try again")
    shutil.rmtree(folder)
