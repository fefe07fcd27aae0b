# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Examples and samples mean what they show when they are pasted."""

from __future__ import annotations

import ast
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

PLUGINS = pathlib.Path(__file__).parents[4] / "plugins"
FILES = sorted((PLUGINS / "modules").glob("*.py"))


def documents(path: pathlib.Path) -> Iterator[Any]:
    """EXAMPLES and RETURN of a module, as YAML nodes."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) in ("EXAMPLES", "RETURN"):
            yield yaml.compose(ast.literal_eval(statement.value), Loader=yaml.SafeLoader)


def scalars(node: Any) -> Iterator[Any]:
    if isinstance(node.value, str):
        yield node
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            for inner in pair:
                yield from scalars(inner)
    else:
        for inner in node.value:
            yield from scalars(inner)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_addresses_of_digits_are_in_quotes(path: pathlib.Path) -> None:
    """YAML 1.1 reads 52:54:00:12:34:56 as a number to the base of 60."""
    found = [scalar for document in documents(path) for scalar in scalars(document)]
    numbers = [scalar.value for scalar in found if re.fullmatch(r"\d+(:\d+)+", scalar.value) and not scalar.style]
    assert numbers == []
