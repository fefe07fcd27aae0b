# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that know where they live in libvirt's XML: how each is read, compared and written. Pure.

A resource or a device is described by a table of fields. Reading, patching in place, and the diff all follow from
the table, so an option cannot be read one way and written another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._units import Size, parse_size, unit_factor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    attribute_at,
    child,
    is_empty,
    remove,
    text_at,
)


@dataclass(frozen=True)
class Kind:
    """How a value is written in XML.

    :ivar read: from XML text to the option's value.
    :ivar write: from the option's value to XML text; None removes what is there.
    :ivar clean: from what the user wrote to the option's value, given the option's name for errors.
    """

    read: Callable[[str], Any]
    write: Callable[[Any], str | None]
    clean: Callable[[Any, str], Any] = lambda value, _option: value


def _words(true: str, false: str) -> Kind:
    return Kind(read=lambda text: text == true, write=lambda value: true if value else false)


class Secret(str):
    """A text that shows as asterisks wherever it is printed, and compares as what it is."""

    def __str__(self) -> str:
        return "********"

    __repr__ = __str__

    def __format__(self, _spec: str) -> str:
        return str(self)


def _as_read(text: str) -> str:
    """A text as whoever parses XML reads it: there is only one end of line."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


# An empty text is how a user says "none of it": it removes the attribute or element.
TEXT = Kind(read=str, write=lambda value: str(value) or None, clean=lambda value, _option: _as_read(str(value)))
INTEGER = Kind(read=int, write=str, clean=lambda value, _option: int(value))
PASSWORD = Kind(read=Secret, write=lambda value: "".join(value) or None, clean=lambda value, _option: Secret(value))
YES_NO = _words("yes", "no")
ON_OFF = _words("on", "off")


@dataclass(frozen=True)
class Field:
    """One option and its place: ``path`` names an element (its text), or ``path@attribute``.

    :ivar option: the option's name.
    :ivar place: ``title``, ``driver@cache``, ``@type`` (the element's own attribute) …
    :ivar kind: how the value is written.
    :ivar live: whether libvirt can change it on a running domain; only device tables use this.
    """

    option: str
    place: str
    kind: Kind = TEXT
    live: bool = False

    # Cached: read for every field of every domain of a fleet.
    @cached_property
    def _path(self) -> str:
        return self.place.partition("@")[0]

    @cached_property
    def _attribute(self) -> str:
        return self.place.partition("@")[2]

    def read(self, element: Element) -> Any:
        """The option's value in ``element``, or None where the XML does not say."""
        found = self._text(element)
        return None if found is None else self.kind.read(found)

    def clean(self, value: Any) -> Any:
        """What the user wrote as the option's value; raises `Failure` for bad input."""
        return self.kind.clean(value, self.option)

    def write(self, element: Element, value: Any) -> None:
        """Put a clean value into ``element``, or take what is there away where its kind writes None."""
        text = self.kind.write(value)
        if text is None:
            self.erase(element)
        elif self._attribute:
            child(element, self._path).set(self._attribute, text)
        else:
            child(element, self._path).text = text

    def _text(self, element: Element) -> str | None:
        if self._attribute:
            return attribute_at(element, self._path, self._attribute)
        return text_at(element, self._path)

    def erase(self, element: Element) -> None:
        """Take the option's place away, with the elements that are left empty by that."""
        if not self._attribute:
            remove(element, self._path)
            return
        owner = element.find(self._path) if self._path else element
        if owner is not None and self._attribute in owner.attrib:
            del owner.attrib[self._attribute]
            if owner is not element and is_empty(owner):
                remove(element, self._path)


class PresenceField(Field):
    """A boolean option that an empty element stands for: ``<readonly/>``."""

    def clean(self, value: Any) -> Any:
        """Whether the element is wanted."""
        return bool(value)

    def read(self, element: Element) -> Any:
        """True where the element is there; False otherwise."""
        return element.find(self.place) is not None

    def write(self, element: Element, value: Any) -> None:
        """Create or remove the element."""
        if value:
            child(element, self.place)
        else:
            remove(element, self.place)


class SizeField(Field):
    """A size whose element carries its unit: ``<memory unit='KiB'>``; the option's value is a `Size` in bytes."""

    def read(self, element: Element) -> Any:
        """Bytes, whatever the unit in the XML (libvirt's default differs: memory KiB, storage bytes)."""
        found = element.find(self.place)
        if found is None or not (found.text or "").strip():
            return None
        default = "KiB" if self.place in ("memory", "currentMemory", "maxMemory") else "bytes"
        return Size(int(found.text or 0) * (unit_factor(found.get("unit", default)) or 1))

    def clean(self, value: Any) -> Any:
        """Bytes of what the user wrote."""
        return parse_size(value, self.option)

    def write(self, element: Element, value: Any) -> None:
        """Write KiB where the size is a whole number of them, else bytes; both are exact."""
        found = child(element, self.place)
        whole = value % 1024 == 0
        found.set("unit", "KiB" if whole else "bytes")
        found.text = str(value // 1024 if whole else int(value))


def read_fields(element: Element, fields: Iterable[Field]) -> dict[str, Any]:
    """The options that ``element`` holds a value for."""
    values = ((field.option, field.read(element)) for field in fields)
    return {option: value for option, value in values if value is not None}


def patch_fields(element: Element, fields: Iterable[Field], options: dict[str, Any]) -> None:
    """Change ``element`` in place so that it has the named options; what already has its value is not touched.

    :param options: what the user named; None means not named.
    :raises Failure: for a value that its field cannot read.
    """
    for field in fields:
        wanted = options.get(field.option)
        if wanted is None:
            continue
        value = field.clean(wanted)
        if field.read(element) != value:
            field.write(element, value)
