# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text of the operating system: bytes, mostly UTF-8. The locale has no say, it may be C on old systems."""


def encode(text: str) -> bytes:
    """The bytes of a file name, argument or variable; UnicodeEncodeError for what never came from `decode`."""
    return text.encode("utf-8", "surrogateescape")


def decode(name: bytes) -> str:
    """Text for a name. Bytes that are no UTF-8 become lone surrogates, and the same bytes again in `encode`."""
    return name.decode("utf-8", "surrogateescape")
