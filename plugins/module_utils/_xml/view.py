# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""XML as plain data for people: what `differences` compares and ``--diff`` shows. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import Secret
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, dump

IsSecret = Callable[[Element, "str | None"], bool]


def view(
    element: Element,
    identity: Callable[[Element], str | None] = lambda _element: None,
    is_secret: IsSecret = lambda _element, _attribute: False,
    is_opaque: Callable[[Element], bool] = lambda _element: False,
) -> Any:
    """Attributes and children as one dict, text as a string; namesakes get their identity or position as key.

    ``<disk type='file'><target dev='vda'/></disk>`` becomes ``{"type": "file", "target": {"dev": "vda"}}``.

    :param is_secret: whether an attribute, or for None the text, is a `Secret`.
    :param is_opaque: whether everything in an element is one `Secret`.
    """
    if is_opaque(element):
        return Secret(dump(element))
    own = (element.text or "").strip()
    text = Secret(own) if own and is_secret(element, None) else own
    data: dict[str, Any] = {
        name: Secret(value) if is_secret(element, name) else value for name, value in element.attrib.items()
    }
    for tag in dict.fromkeys(item.tag for item in element):
        namesakes = element.findall(tag)
        keys = [identity(item) for item in namesakes]
        if len(namesakes) == 1 and keys[0] is None:
            data[tag] = view(namesakes[0], identity, is_secret, is_opaque)
            continue
        for position, (key, item) in enumerate(zip(keys, namesakes)):
            data[f"{tag}[{position if key is None else key}]"] = view(item, identity, is_secret, is_opaque)
    if not data:
        return text or True
    return {**data, "text": text} if text else data
