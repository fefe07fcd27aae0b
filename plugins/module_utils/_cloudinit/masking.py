# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in cloud-init's documents: which values they are, and the documents without them.

Only for what people see (a diff, a log). The seed itself has to carry the secrets to the guest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._masking import HIDDEN, URL_PASSWORD, address_secrets

HIDDEN_CHANGED = f"{HIDDEN} (changed)"

# Keys of cloud-config, netplan and the usual tools whose values are secret: passwd, hashed_passwd,
# plain_text_passwd, password, rsa_private, token, authkey, api_key, psk …
_SECRET_KEY = re.compile(
    r"passw|passphrase|secret|token|credential|(^|[-_])private$|^psk$|^shared$|^validation[-_]cert$|"
    r"(private|preshared|shared|api|auth|access|activation|registration|validation)[-_]?key",
    re.IGNORECASE,
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")
# What stands in a text of another format: WireGuard's keys, and passwords in the options of a mount or a command.
_ASSIGNED = re.compile(
    r"((?:(?:private|preshared)[-_]?key|password2?|passwd|passphrase|(?<![a-z])pass)\s*=\s*[\"']?)"
    r"(?!(?:yes|no|true|false|on|off)\b)([^\s,;\"']+)()",
    re.IGNORECASE,
)
_IN_TEXTS = (URL_PASSWORD, _ASSIGNED)  # before, the secret, after
_OWNER_ONLY = re.compile(r"^0?o?[0-7]?[0-7]00$")


def mask(value: Any, reference: Any = None, secret: bool = False) -> Any:
    """A document's data with its secrets hidden.

    :param reference: the same place of the document before; a secret that differs from it says so.
    :param secret: whether everything in ``value`` is secret.
    """
    if isinstance(value, dict):
        around = reference if isinstance(reference, dict) else {}
        return {key: mask(item, around.get(key), secret or _is_secret(key, value)) for key, item in value.items()}
    if isinstance(value, list):
        before = reference if isinstance(reference, list) else []
        return [
            mask(item, before[position] if position < len(before) else None, secret)
            for position, item in enumerate(value)
        ]
    if value is None or isinstance(value, bool):
        return value
    if secret or (isinstance(value, str) and _PRIVATE_KEY.search(value)):
        return HIDDEN if reference is None or reference == value else HIDDEN_CHANGED
    return _mask_text(value) if isinstance(value, str) else value


def secrets(value: Any, secret: bool = False) -> Iterator[str]:
    """Each secret text in a document's data."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from secrets(item, secret or _is_secret(key, value))
    elif isinstance(value, list):
        for item in value:
            yield from secrets(item, secret)
    elif isinstance(value, bool) or value is None:
        return
    elif secret or (isinstance(value, str) and _PRIVATE_KEY.search(value)):
        yield str(value)
    elif isinstance(value, str):
        # With what is around them: alone they may be everyday words, and all that is shown is searched for them.
        yield from address_secrets(value)
        for match in _ASSIGNED.finditer(value):
            yield match.group(0)


def _mask_text(text: str) -> str:
    for pattern in _IN_TEXTS:
        text = pattern.sub(rf"\1{HIDDEN}\3", text)
    return text


def _is_secret(key: Any, mapping: dict[Any, Any]) -> bool:
    name = str(key)
    if name == "chpasswd":  # only its list and its users' passwords are secret, not when they expire
        return False
    if name == "list" and "expire" in mapping:
        return True
    if name == "list" and set(mapping) <= {"list", "expire", "users"}:
        return True
    if name == "content" and _is_owner_only(mapping.get("permissions")):
        return True  # write_files: what only its owner may read on the guest is not for a diff either
    if name == "key" and mapping.get("mode") == "wireguard":
        return True  # a tunnel of netplan
    return bool(_SECRET_KEY.search(name))


def _is_owner_only(permissions: Any) -> bool:
    """Whether a mode lets nobody but the owner read; a number may be meant as octal digits, and in doubt it is."""
    if isinstance(permissions, int):
        return permissions & 0o077 == 0 or bool(_OWNER_ONLY.match(str(permissions)))
    return bool(_OWNER_ONLY.match(str(permissions or "").strip()))
