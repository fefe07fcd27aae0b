# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user's XML laid over the XML that libvirt holds. Pure.

What the user's XML says wins, what it does not mention stays; what it says in other words, with another unit for
example, is no difference.
"""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.identity import equivalent, pair
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._units import unit_factor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, clone, same

# The order of these is their meaning, so they are replaced as a whole.
_SEQUENCES = ("boot",)
# Elements whose number is KiB where no unit is given.
_MEMORY = ("memory", "currentMemory", "maxMemory", "hard_limit", "soft_limit", "swap_hard_limit", "cell")
# An element of another of these is another thing: what belongs to the old one does not stay.
_DECISIVE = ("type", "mode", "model", "bus", "name")
_BELONGING = ("source", "address", "model", "vendor", "feature", "virtualport", "protocol")


def overlay(
    current: Element,
    given: Element,
    gone: Callable[[Element], bool] = lambda _element: False,
    same_text: Callable[[Element, str], bool] = lambda _element, _text: False,
) -> None:
    """Make ``current`` say what ``given`` says, in place.

    :param gone: whether an element that ``given`` does not mention, though it mentions its parent, goes.
    :param same_text: further texts or attributes that mean the same: the element of ``given``, what ``current`` says.
    """
    changed = _overlay_own(current, given, same_text)
    if changed:
        _drop_belongings(current)
    for tag in dict.fromkeys(item.tag for item in given):
        _overlay_children(current, given, tag, gone, same_text)
    for item in list(current):
        if gone(item) and not any(item.tag == other.tag for other in given):
            current.remove(item)


def _overlay_own(current: Element, given: Element, same_text: Callable[[Element, str], bool]) -> bool:
    """Attributes and text; whether a decisive attribute changed."""
    equal = _same_size(current, given)
    text = "" if equal else (given.text or "").strip()
    changed = False
    for name, value in given.attrib.items():
        held = current.get(name)
        if (equal and name in ("unit", "memory")) or (
            held is not None and (equivalent(held, value) or same_text(given, held))
        ):
            continue
        changed = changed or (held is not None and name in _DECISIVE)
        current.set(name, value)
    held_text = (current.text or "").strip()
    if text and not equivalent(held_text, text) and not same_text(given, held_text):
        current.text = text
        if "unit" not in given.attrib:
            current.attrib.pop("unit", None)
    return changed


def _overlay_children(
    current: Element,
    given: Element,
    tag: str,
    gone: Callable[[Element], bool],
    same_text: Callable[[Element, str], bool],
) -> None:
    held, wanted = current.findall(tag), given.findall(tag)
    if _is_whole(tag):
        _replace(current, held, wanted)
        return
    matches = pair(held, wanted)
    for match, item in zip(matches, wanted):
        if match is None:
            current.append(clone(item))
        else:
            overlay(match, item, gone, same_text)
    for item in held:
        if gone(item) and not any(item is match for match in matches):
            current.remove(item)


def _is_whole(tag: str) -> bool:
    """Whether such elements are replaced, not laid over: sequences, and what another namespace puts here."""
    return tag in _SEQUENCES or tag.startswith("{")


def _replace(current: Element, held: list[Element], wanted: list[Element]) -> None:
    if len(held) == len(wanted) and all(same(one, other) for one, other in zip(held, wanted)):
        return
    for item in held:
        current.remove(item)
    for item in wanted:
        current.append(clone(item))


def _drop_belongings(current: Element) -> None:
    for tag in _BELONGING:
        for item in current.findall(tag):
            current.remove(item)


def _same_size(current: Element, given: Element) -> bool:
    """Whether both hold the same size, in any unit; libvirt rounds memory up to whole KiB."""
    if given.tag not in _MEMORY and "unit" not in given.attrib:
        return False
    held, wanted = _bytes(current), _bytes(given)
    if held is None or wanted is None:
        return False
    step = 1024 if given.tag in _MEMORY else 1
    return -(-held // step) == -(-wanted // step)


def _bytes(element: Element) -> int | None:
    # A cell of NUMA has its memory in an attribute.
    text = element.get("memory", "") if element.tag == "cell" else (element.text or "").strip()
    factor = unit_factor(element.get("unit", "KiB" if element.tag in _MEMORY else "bytes"))
    return int(text) * factor if text.isdigit() and factor is not None else None
