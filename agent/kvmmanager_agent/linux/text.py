# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small files of /proc, /sys and /etc."""

from typing import Dict

_MOST = 1024 * 1024


def read(path: str, default: str = "") -> str:
    """The text of a small file, or ``default`` where it is missing."""
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read(_MOST)
    except OSError:
        return default


def assignments(text: str) -> Dict[str, str]:
    """The values of lines like ``NAME="value"``, as os-release(5) writes them."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            found[name] = value.strip("\"'")
    return found
