# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""XML as plain data for people: what `differences` compares and ``--diff`` shows. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element


def view(element: Element, identity: Callable[[Element], str | None] = lambda _element: None) -> Any:
    """Attributes and children as one dict, text as a string; namesakes get their identity or position as key.

    ``<disk type='file'><target dev='vda'/></disk>`` becomes ``{"type": "file", "target": {"dev": "vda"}}``.
    """
    text = (element.text or "").strip()
    data: dict[str, Any] = dict(element.attrib)
    for tag in dict.fromkeys(item.tag for item in element):
        namesakes = element.findall(tag)
        keys = [identity(item) for item in namesakes]
        if len(namesakes) == 1 and keys[0] is None:
            data[tag] = view(namesakes[0], identity)
            continue
        for position, (key, item) in enumerate(zip(keys, namesakes)):
            data[f"{tag}[{position if key is None else key}]"] = view(item, identity)
    if not data:
        return text or True
    return {**data, "text": text} if text else data
