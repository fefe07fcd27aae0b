# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent as one file: small, the same each time, and able to start."""

from __future__ import annotations

import ast
import json
import pathlib
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parents[3]
BUILD = ROOT / "agent/build.py"


def build(target: pathlib.Path) -> pathlib.Path:
    subprocess.run([sys.executable, BUILD, target], check=True, capture_output=True)
    return target


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return build(tmp_path_factory.mktemp("agent") / "kvmmanager-agent.pyz")


def test_it_is_small_enough_for_a_seed(agent: pathlib.Path) -> None:
    assert agent.stat().st_size <= 64 * 1024


def test_the_same_source_gives_the_same_bytes(agent: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert build(tmp_path / "again.pyz").read_bytes() == agent.read_bytes()


def test_the_same_code_on_the_same_lines_is_inside(agent: pathlib.Path) -> None:
    sources = {"kvmmanager_agent/wire.py": ROOT / "plugins/module_utils/_agent/wire.py"}
    for path in (ROOT / "agent/kvmmanager_agent").rglob("*.py"):
        sources.setdefault(path.relative_to(ROOT / "agent").as_posix(), path)
    with zipfile.ZipFile(agent) as archive:
        assert set(archive.namelist()) == {"__main__.py", *sources}
        for name, path in sources.items():
            assert code_of(archive.read(name)) == code_of(path.read_bytes()), name


def code_of(source: bytes) -> str:
    """Everything but the docstrings, which the zipapp leaves empty."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.dump(tree, include_attributes=False) + str([getattr(node, "lineno", 0) for node in ast.walk(tree)])


def test_it_says_what_a_configuration_allows(agent: pathlib.Path, tmp_path: pathlib.Path) -> None:
    config = tmp_path / "agent.json"
    config.write_text(json.dumps({"profile": "files", "paths": {"read": ["/srv"]}}), encoding="utf-8")
    command = [str(agent), "--check-config", "--config", str(config)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "read files below: /srv\n" in said
    assert "change files below: nowhere\n" in said
    config.write_text('{"colour": "red"}', encoding="utf-8")
    failed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert failed.returncode == 1
    assert "unknown key colour" in failed.stderr
    assert "Traceback" not in failed.stderr
