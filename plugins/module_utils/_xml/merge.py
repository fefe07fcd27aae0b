# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Raw XML from a user laid over the XML that libvirt holds. Pure.

What libvirt filled in (uuid, addresses, permissions …) stays, so giving the same text again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, clone

Identity = Callable[[Element], "str | None"]


def _anonymous(_element: Element) -> str | None:
    return None


def merge(current: Element, given: Element, identity: Identity = _anonymous) -> None:
    """Change ``current`` in place so that it says all that ``given`` says.

    :param identity: a key for an element among its namesakes (a disk's target), or None: those go by position.
        Namesakes that ``given`` does not have stay when they have a key and go when they have none.
    """
    current.attrib.update(given.attrib)
    if (given.text or "").strip():
        current.text = given.text
    for tag in dict.fromkeys(item.tag for item in given):
        _merge_namesakes(current, given.findall(tag), identity)


def _merge_namesakes(parent: Element, given: list[Element], identity: Identity) -> None:
    present = parent.findall(given[0].tag)
    by_key = {key: item for item in present if (key := identity(item)) is not None}
    by_position = iter([item for item in present if identity(item) is None])
    for item in given:
        key = identity(item)
        match = next(by_position, None) if key is None else by_key.get(key)
        if match is None:
            parent.append(clone(item))
        else:
            merge(match, item, identity)
    if any(identity(item) is None for item in given):
        for leftover in by_position:
            parent.remove(leftover)
