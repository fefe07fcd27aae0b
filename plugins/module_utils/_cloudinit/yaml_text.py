# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML with places: parse a text so that what is wrong has a line; write always the same way."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.libraries import require
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

# Aliases may repeat values, but not into more than this: a few lines of them can mean terabytes.
_MOST_VALUES = 1_000_000

_DEEPEST = 100

# What PyYAML raises for a value that does not fit its type, such as 2023-02-30 or !!int x.
_UNFIT = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)


@dataclass(frozen=True)
class Parsed:
    """A YAML text as data.

    :ivar data: what the text says; None for an empty text.
    :ivar node: PyYAML's tree of the text, which knows the lines; None for an empty text.
    """

    data: Any
    node: Any

    def line_of(self, path: Sequence[Any]) -> int | None:
        """The line (from 1) where the value at a path begins, or the nearest value around it.

        :param path: keys and positions from the top, for example ``("users", 0, "shell")``.
        """
        node = self.node
        if node is None:
            return None
        line: int = node.start_mark.line
        for step in path:
            found = _step(node, step)
            if found is None:
                break
            line, node = found
        return line + 1


def parse(text: str, option: str) -> Parsed:
    """The data of a YAML text.

    :param option: the option's name for the error.
    :raises Failure: for what is not YAML, has values that are not what they seem, contains itself, or says one key
        twice: with the line.
    """
    yaml = require("yaml")
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        _refuse_endless(node, option)
        data = None if node is None else _construct(loader, node, option)
    except RecursionError:
        raise Failure(f"{option}: it is nested too deeply.") from None
    except yaml.MarkedYAMLError as error:
        raise _syntax_failure(option, error) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Failure(f"{option}, line {line}: a character that YAML does not allow.") from error
    _refuse_doubled_keys(node, option)
    return Parsed(data, node)


def write(data: Any) -> str:
    """Data as YAML, in the order that it has; texts of several lines stay readable blocks."""
    return str(
        require("yaml").dump(
            data,
            Dumper=_dumper(),
            sort_keys=False,
            default_flow_style=False,
            allow_unicode=True,
            width=1_000_000,  # a folded line is hard to read, and no two versions fold alike
        )
    )


def _step(node: Any, step: Any) -> tuple[int, Any] | None:
    """The line and the node that one key or position leads to."""
    if node.id == "sequence" and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line, node.value[step]
    if node.id == "mapping":
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line, value
    return None


def _syntax_failure(option: str, error: Any) -> Failure:
    mark = error.problem_mark or error.context_mark
    where = f"{option}, line {mark.line + 1}, column {mark.column + 1}" if mark else option
    return Failure(
        f"{where}: this is not YAML: {error.problem or error.context}. Check the indentation and the quotes there."
    )


def _construct(loader: Any, node: Any, option: str) -> Any:
    try:
        return loader.construct_document(node)
    except _UNFIT:
        raise _unfit_failure(type(loader)(""), node, option) from None


def _unfit_failure(loader: Any, node: Any, option: str) -> Failure:
    """PyYAML does not say which value it was, so each one is tried again."""
    yaml = require("yaml")
    for scalar in (found for found in _nodes(node) if found.id == "scalar"):
        try:
            loader.construct_object(scalar)
        except yaml.YAMLError:  # a key that only means something in its mapping, such as <<
            continue
        except _UNFIT:
            kind = scalar.tag.rpartition(":")[2]
            return Failure(
                f"{option}, line {scalar.start_mark.line + 1}: this looks like a value of the type {kind}, but is "
                "none. Correct it, or put it in quotes for a text."
            )
    return Failure(f"{option}: a value in it does not fit its type. Correct it, or put it in quotes for a text.")


def _refuse_endless(node: Any, option: str) -> None:
    """Refuse a value that contains itself through an alias, and aliases of aliases without measure."""
    sizes: dict[int, int] = {}
    around: set[int] = set()

    def size_of(current: Any) -> int:
        known = sizes.get(id(current))
        if known is not None:
            return known
        if id(current) in around:
            line = current.start_mark.line + 1
            raise Failure(f"{option}, line {line}: this value contains itself through an alias (*). Write it out.")
        if len(around) >= _DEEPEST:
            raise RecursionError
        around.add(id(current))
        size = 1 + sum(size_of(inner) for inner in _children(current))
        around.remove(id(current))
        sizes[id(current)] = size
        return size

    if node is not None and size_of(node) > _MOST_VALUES:
        raise Failure(f"{option}: its aliases (*) stand for more than {_MOST_VALUES} values. Use fewer.")


def _nodes(node: Any) -> Iterator[Any]:
    """Each node of a tree once, though aliases lead to it several times."""
    pending = [] if node is None else [node]
    seen: set[int] = set()
    while pending:
        current = pending.pop()
        if id(current) not in seen:
            seen.add(id(current))
            yield current
            pending.extend(_children(current))


def _children(node: Any) -> list[Any]:
    if node.id == "mapping":
        return [inner for pair in node.value for inner in pair]
    return list(node.value) if node.id == "sequence" else []


def _refuse_doubled_keys(node: Any, option: str) -> None:
    """YAML forbids a key twice in one mapping; PyYAML and cloud-init silently take the last."""
    for current in _nodes(node):
        if current.id == "mapping":
            _refuse_doubled(current, option)


def _refuse_doubled(mapping: Any, option: str) -> None:
    first: dict[Any, int] = {}
    for key, _value in mapping.value:
        if key.id != "scalar":
            continue
        line = key.start_mark.line + 1
        name = (key.tag, key.value)
        if name in first:
            raise Failure(
                f"{option}, line {line}: the key '{key.value}' is there twice, first in line {first[name]}. Remove one."
            )
        first[name] = line


@functools.cache
def _dumper() -> Any:
    """PyYAML's own dumper (never the C one: it may write differently), with readable blocks."""

    def represent_text(dumper: Any, text: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)

    block_dumper: Any = type("BlockDumper", (require("yaml").SafeDumper,), {})
    block_dumper.add_representer(str, represent_text)
    return block_dumper
