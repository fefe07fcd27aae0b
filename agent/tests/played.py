# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports that tests play without a descriptor."""

from typing import List


def fill(space: List[memoryview], incoming: List[bytes]) -> int:
    """Read the first piece that came in, as far as it fits; how much that is."""
    piece = incoming.pop(0)
    read = 0
    for place in space:
        part = piece[read : read + len(place)]
        place[: len(part)] = part
        read += len(part)
    if piece[read:]:
        incoming.insert(0, piece[read:])
    return read
