# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which element of one XML tree is which of another, when both describe the same thing. Pure."""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at

# An element's tag → what tells it from its namesakes. Where a text does not say, position decides.
_IDENTITIES: dict[str, tuple[str, ...]] = {
    "cell": ("@id",),
    "channel": ("target@name", "@type"),
    "console": ("target@type", "target@port"),
    "controller": ("@type", "@index", "@model"),
    "disk": ("target@dev",),
    "entry": ("@name",),
    "feature": ("@name",),
    "filesystem": ("target@dir",),
    "graphics": ("@type",),
    "hostdev": (
        "@type",
        *(f"source/address@{name}" for name in ("domain", "bus", "slot", "function", "device")),
        "source/vendor@id",
        "source/product@id",
    ),
    "input": ("@type", "@bus"),
    "interface": ("mac@address",),
    "iothread": ("@id",),
    "redirdev": ("@bus", "@type"),
    "seclabel": ("@model", "@type"),
    "serial": ("target@port",),
    "timer": ("@name",),
    "vcpu": ("@id",),
    "vcpupin": ("@vcpu",),
}


def pair(held: list[Element], given: list[Element]) -> list[Element | None]:
    """For each of ``given``, all of one tag, the element of ``held`` that it is about; None where it is new.

    Those that say most of what they are choose first.
    """
    free = list(held)
    found: list[Element | None] = [None] * len(given)
    for position in sorted(range(len(given)), key=lambda position: -len(_identity(given[position]))):
        wanted = _identity(given[position])
        match = next((item for item in free if _fits(item, wanted)), None)
        if match is not None:
            found[position] = match
            free.remove(match)
    return found


def equivalent(one: str, other: str) -> bool:
    """Whether two texts mean the same to libvirt: numbers in any base, hexadecimal digits in any case."""
    if one.strip().lower() == other.strip().lower():
        return True
    try:
        return int(one, 0) == int(other, 0)
    except ValueError:
        return False


def label(element: Element) -> str | None:
    """What tells an element from its namesakes, for people; None where only its position does."""
    return "/".join(_identity(element).values()) or None


def _identity(element: Element) -> dict[str, str]:
    """What an element says of what it is."""
    places = _IDENTITIES.get(element.tag, ())
    values = {place: attribute_at(element, *_split(place)) for place in places}
    return {place: value for place, value in values.items() if value is not None}


def _fits(item: Element, wanted: dict[str, str]) -> bool:
    held = {place: attribute_at(item, *_split(place)) for place in wanted}
    return all(value is not None and equivalent(value, wanted[place]) for place, value in held.items())


def _split(place: str) -> tuple[str, str]:
    path, _at, name = place.partition("@")
    return path, name
