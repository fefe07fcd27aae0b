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
from ansible.plugins.doc_fragments import constructed, inventory_cache

from tests.unit.plugins.modules.argument_specs import PLUGINS, wrong_options

FILES = sorted((PLUGINS / "modules").glob("*.py"))
WITH_EXAMPLES = [*FILES, *sorted(PLUGINS.glob("connection/*.py"))]
PREFIX = "kvmmanager.libvirt."


def texts(path: pathlib.Path, *names: str) -> Iterator[str]:
    """What is assigned to these names in a plugin."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) in names:
            yield ast.literal_eval(statement.value)


def documents(path: pathlib.Path) -> Iterator[Any]:
    """EXAMPLES and RETURN of a module, as YAML nodes."""
    for text in texts(path, "EXAMPLES", "RETURN"):
        yield yaml.compose(text, Loader=yaml.SafeLoader)


def tasks(data: Any) -> Iterator[tuple[str, Any]]:
    """The modules of this collection in some playbook or list of tasks, each with its options."""
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    if isinstance(data, dict):
        for key, value in data.items():
            name = str(key).removeprefix(PREFIX)
            if name != str(key) and (PLUGINS / "modules" / f"{name}.py").exists():
                yield name, value or {}
    for item in inner:
        yield from tasks(item)


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


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.stem)
def test_the_options_of_examples_are_right(path: pathlib.Path) -> None:
    shown = [task for text in texts(path, "EXAMPLES") for data in yaml.safe_load_all(text) for task in tasks(data)]
    if path in FILES:
        assert path.stem in [name for name, _options in shown], "no example shows the module itself"
    wrong = [(name, options, said) for name, options in shown if (said := wrong_options(name, options))]
    assert wrong == []


def test_a_wrong_example_is_found() -> None:
    assert "pth. Supported parameters" in wrong_options("pool", {"name": "a", "pth": "/a"})[0]
    assert "converted to a list" in wrong_options("guest_command", {"argv": {}})[0]
    assert "mutually exclusive" in wrong_options("volume", {"pool": "a", "name": "b", "src": "c", "dest": "d"})[0]


def test_the_options_of_the_inventorys_examples_exist() -> None:
    path = PLUGINS / "inventory" / "libvirt.py"
    (documentation,) = texts(path, "DOCUMENTATION")
    fragments = (constructed.ModuleDocFragment.DOCUMENTATION, inventory_cache.ModuleDocFragment.DOCUMENTATION)
    known = {name for text in (documentation, *fragments) for name in yaml.safe_load(text)["options"]}
    suboptions = yaml.safe_load(documentation)["options"]["connections"]["suboptions"]
    for data in yaml.safe_load_all(*texts(path, "EXAMPLES")):
        assert not set(data) - known
        assert not {name for connection in data.get("connections", ()) for name in connection} - set(suboptions)
