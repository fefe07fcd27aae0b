# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passwords in addresses, and texts without them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

HIDDEN = "********"
URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)([^/\s]+)(@)")  # before, the secret, after


def mask_address(text: str) -> str:
    """An address, or a text with addresses, without the passwords in them."""
    return URL_PASSWORD.sub(rf"\1{HIDDEN}\3", text)


def address_secrets(text: str) -> Iterator[str]:
    """Each password in the addresses of a text, with the signs around it: alone it may be an everyday word."""
    for match in URL_PASSWORD.finditer(text):
        yield f":{match.group(2)}@"
