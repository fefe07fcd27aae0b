# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""XML as a tree: read it safely, write it, find, create and compare elements. Pure.

Element order means nothing to libvirt, except among elements of one name.
"""

from __future__ import annotations

import copy
import re
from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

Element = ElementTree.Element


def parse(text: str, what: str = "XML") -> Element:
    """The root element of an XML text, without comments and without white space between elements.

    :param what: names the text in the error, for example ``the option xml``.
    :raises Failure: for text that is no XML, with line and column, and for a document type declaration
        (its entities could grow without bound; libvirt's XML never has one).
    """
    root = _root(text, what, ElementTree.XMLParser(target=_Builder()))
    for element in root.iter():
        element.tail = None
        if len(element) and not (element.text or "").strip():
            element.text = None
    return root


def glance(text: str, what: str = "XML") -> Element:
    """As `parse`, in a third of the time, for a tree that is neither written nor compared.

    White space between elements stays, and what namespaces are called is not remembered.
    """
    return parse(text, what) if "<!DOCTYPE" in text else _root(text, what, None)


def _root(text: str, what: str, parser: ElementTree.XMLParser | None) -> Element:
    try:
        return ElementTree.fromstring(text, parser=parser)
    except ElementTree.ParseError as error:
        line, column = error.position
        raise Failure(f"{what} is not well-formed: {error.args[0]}. Look at line {line}, column {column}.") from error


def dump(element: Element) -> str:
    """The XML text of an element, indented."""
    shown = copy.deepcopy(element)
    ElementTree.indent(shown)
    return ElementTree.tostring(shown, encoding="unicode") + "\n"


def clone(element: Element) -> Element:
    """A copy that can be changed without changing the original."""
    return copy.deepcopy(element)


def child(parent: Element, path: str) -> Element:
    """The element at a path such as ``devices/emulator`` below ``parent``, created where it is missing."""
    for tag in filter(None, path.split("/")):
        found = parent.find(tag)
        parent = ElementTree.SubElement(parent, tag) if found is None else found
    return parent


def remove(parent: Element, path: str) -> None:
    """Remove the first element at ``path`` below ``parent``, and its ancestors that are left with nothing."""
    head, _slash, rest = path.partition("/")
    found = parent.find(head)
    if found is None:
        return
    if rest:
        remove(found, rest)
    if not rest or is_empty(found):
        parent.remove(found)


def remove_all(parent: Element, tag: str) -> None:
    """Remove every child with this tag, with all it holds."""
    for found in parent.findall(tag):
        parent.remove(found)


def is_empty(element: Element) -> bool:
    """Whether an element has no attribute, no child and no text."""
    return not (element.attrib or len(element) or (element.text or "").strip())


def text_at(parent: Element, path: str) -> str | None:
    """The text of the element at ``path``, or None where there is no such element."""
    found = parent.find(path)
    return None if found is None else (found.text or "").strip()


def attribute_at(parent: Element, path: str, name: str) -> str | None:
    """An attribute of the element at ``path`` ("" is ``parent`` itself), or None."""
    found = parent.find(path) if path else parent
    return None if found is None else found.get(name)


def same(one: Element, other: Element) -> bool:
    """Whether two elements mean the same to libvirt: order of attributes and of differently named elements aside."""
    return canonical(one) == canonical(other)


def canonical(element: Element) -> tuple[object, ...]:
    """A value that is equal for two elements that mean the same."""
    children: dict[str, list[object]] = {}
    for item in element:
        children.setdefault(item.tag, []).append(canonical(item))
    return (
        element.tag,
        tuple(sorted(element.attrib.items())),
        (element.text or "").strip(),
        tuple((tag, tuple(items)) for tag, items in sorted(children.items())),
    )


class _Builder(ElementTree.TreeBuilder):
    """Refuses document types, and remembers how namespaces are called, so that they are written as they were."""

    def start_ns(self, prefix: str, uri: str) -> None:
        if prefix and not re.fullmatch(r"ns\d+", prefix):  # ElementTree keeps such names for itself
            ElementTree.register_namespace(prefix, uri)

    def doctype(self, _name: str, _pubid: str | None, _system: str | None) -> None:
        raise Failure("XML with a document type declaration (<!DOCTYPE …>) is not accepted: remove the declaration.")
