# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a domain's XML and of a task's options nobody is to read in a diff, a log or a result. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse

_SECRET_NAME = re.compile(r"passw|passphrase|secret|token|credential|cookie", re.IGNORECASE)
# QEMU's own arguments and environment: nobody can tell what is secret in them.
_OF_QEMU = "{http://libvirt.org/schemas/domain/qemu/"
# What makes XML read otherwise than it is written: p&amp;ss, p&#38;ss, <![CDATA[p&ss]]>.
_ESCAPE = re.compile(r"&|<!\[CDATA\[")


def is_secret(element: Element, attribute: str | None = None) -> bool:
    """Whether an attribute of an element, or its text, is a secret, going by its name or by whose it is."""
    if attribute is not None:
        return bool(_SECRET_NAME.search(attribute)) or is_opaque(element)
    return bool(_SECRET_NAME.search(f"{element.tag} {element.get('name', '')}")) or is_opaque(element)


def is_opaque(element: Element) -> bool:
    """Whether everything in an element may be secret."""
    return element.tag.startswith(_OF_QEMU)


def secrets(params: dict[str, Any]) -> set[str]:
    """What of the task's options must not be seen."""
    found = {graphics.get("password") or "" for graphics in params["graphics"] or ()}
    if params["xml"] is not None:
        found.update(_secrets_of_text(params["xml"]))
    return {text for text in found if text.strip()}


def _secrets_of_text(xml: str) -> set[str]:
    """What of an XML text must not be seen: all of it where it is no XML, or does not show a secret as it reads."""
    try:
        found = {text for text in _secrets_in(parse(xml)) if text.strip()}
    except Failure:
        return {xml}
    plain = _ESCAPE.search(xml) is None and all(text in xml for text in found)
    return found | ({xml} if found and not plain else set())


def _secrets_in(domain: Element) -> Iterator[str]:
    for element in domain.iter():
        yield from (value for name, value in element.attrib.items() if is_secret(element, name))
        if is_secret(element):
            yield (element.text or "").strip()
