# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes: what a person writes, what libvirt writes, bytes.

Units as libvirt defines them: https://libvirt.org/formatdomain.html#memory-allocation
(``KB`` is 1000 bytes, ``KiB``, ``K`` and ``k`` are 1024).
"""

from __future__ import annotations

import re

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$")


class Size(int):
    """A number of bytes that prints as a person would write it: ``Size(2147483648)`` is ``2 GiB``."""

    def __str__(self) -> str:
        return format_size(int(self))

    __format__ = int.__format__


def parse_size(value: str | int, option: str = "size") -> Size:
    """Bytes of a size such as ``4 GiB``, ``512MiB``, ``20G`` or a plain number of bytes.

    :param option: the option's name for the error.
    :raises Failure: for a text that is no size or an unknown unit.
    """
    match = _SIZE.match(str(value))
    factor = unit_factor(match.group(2)) if match else None
    if match is None or factor is None:
        raise Failure(
            f"{option}: '{value}' is not a size. Write a number with a unit, such as 4 GiB, 512 MiB or 20 GB; "
            "a number alone is bytes."
        )
    number = match.group(1)
    return Size(int(float(number) * factor) if "." in number else int(number) * factor)


def unit_factor(unit: str) -> int | None:
    """How many bytes one of libvirt's units is, or None for a unit that libvirt does not know."""
    if unit.lower() in ("", "b", "byte", "bytes"):
        return 1
    power = _POWERS.get(unit[0].upper())
    if power is None:
        return None
    rest = unit[1:].lower()
    if rest in ("", "ib"):
        return int(1024**power)
    if rest == "b":
        return int(1000**power)
    return None


def format_size(size: int) -> str:
    """The shortest exact way to write a number of bytes: ``2 GiB``, ``1536 MiB``, ``1000 bytes``."""
    for letter, power in reversed(list(_POWERS.items())):
        if size and size % 1024**power == 0:
            return f"{size // 1024**power} {letter}iB"
    return f"{size} bytes"
