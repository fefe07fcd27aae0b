# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all steps of the demo share: where it keeps things, how it talks, and what it remembers."""

from __future__ import annotations

import json
import os
import pathlib
import sys
from typing import Any

ROOT = pathlib.Path(__file__).parents[2]
FOLDER = pathlib.Path(os.environ.get("KVMMANAGER_DEMO_FOLDER") or ROOT / ".cache" / "demo").absolute()
_MEMORY = FOLDER / "memory.json"


class DemoError(Exception):
    """Why the demo cannot go on, and what to do: one or two sentences."""


def say(line: str) -> None:
    """Tell the person what happens."""
    print(f"demo: {line}", file=sys.stderr, flush=True)


def shown(path: pathlib.Path) -> str:
    """A path as a person in this tree would type it."""
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def remember(key: str, value: Any) -> Any:
    """Keep a choice, so that the next run makes the same one and --clean knows it. Returns the value."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    memory = _read()
    memory[key] = value
    fresh = _MEMORY.with_suffix(".new")
    fresh.write_text(json.dumps(memory, indent=2), encoding="utf-8")
    fresh.replace(_MEMORY)
    return value


def remembered(key: str) -> Any:
    """What an earlier run kept under this key, or None."""
    return _read().get(key)


def _read() -> dict[str, Any]:
    try:
        found = json.loads(_MEMORY.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
