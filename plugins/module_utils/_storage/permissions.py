# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Permissions as a user writes them, for files and for pools."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure


def clean_mode(value: Any, option: str) -> str:
    """Permissions as libvirt writes them, four octal digits: ``0711``.

    A number is refused: YAML reads an unquoted 0711 as 457, and nobody can tell which of the two was meant.
    """
    if not isinstance(value, str) or not re.fullmatch(r"[0-7]{3,4}", value):
        raise Failure(f"{option}: '{value}' is not a mode. Write octal digits in quotes, such as '0711'.")
    return value.zfill(4)
