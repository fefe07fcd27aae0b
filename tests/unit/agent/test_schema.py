# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The schema of the agent's configuration and the agent itself accept and refuse the same."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Any

import jsonschema
import pytest

AGENT = pathlib.Path(__file__).parents[3] / "agent"
SCHEMA = json.loads((AGENT / "config.schema.json").read_text())

GOOD: list[dict[str, Any]] = [
    {},
    {"profile": "files", "paths": {"read": ["/var/log"], "write": ["/srv/..inbox"]}},
    {"profile": "full", "methods": {"allow": ["ping"], "block": ["exec"]}, "programs": [], "port": "/dev/vport0p1"},
    {"limits": {"concurrent": 64, "output": 1, "file_size": 5, "seconds": 604800}},
]
WRONG: list[Any] = [
    [],
    {"colour": "red"},
    {"profile": "root"},
    {"port": "vport0p1"},
    {"port": None},
    {"methods": {"deny": []}},
    {"methods": {"allow": ["no_such"]}},
    {"methods": {"block": "exec"}},
    {"paths": ["/"]},
    {"paths": {"read": ["relative"]}},
    {"paths": {"write": ["/a/../b"]}},
    {"paths": {"write": ["/a/.."]}},
    {"paths": {"read": ["/a\0b"]}},
    {"programs": None},
    {"programs": [5]},
    {"limits": {"memory": 1}},
    {"limits": {"concurrent": 65}},
    {"limits": {"output": 0}},
    {"limits": {"seconds": 1.5}},
    {"limits": {"seconds": True}},
]


# Says for each configuration what is wrong with it, as the agent's own interpreter sees it.
_VERDICTS = """
import json, sys
import kvmmanager_agent.__main__
from kvmmanager_agent import config

for value in json.load(sys.stdin):
    try:
        config.parse(value)
        print("ok")
    except config.ConfigError as error:
        print(repr(str(error)))
"""


@pytest.fixture(name="verdicts", scope="module")
def _verdicts() -> dict[str, str]:
    """What the agent says about each configuration."""
    command = [sys.executable, "-c", _VERDICTS]
    values = json.dumps(GOOD + WRONG)
    done = subprocess.run(command, cwd=AGENT, input=values, capture_output=True, text=True, check=True)
    return dict(zip(map(repr, GOOD + WRONG), done.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("value", GOOD, ids=str)
def test_both_accept(value: Any, verdicts: dict[str, str]) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(value)
    assert verdicts[repr(value)] == "ok"


@pytest.mark.parametrize("value", WRONG, ids=str)
def test_both_refuse(value: Any, verdicts: dict[str, str]) -> None:
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(value)
    assert verdicts[repr(value)] != "ok"


def check(value: Any, folder: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """What the command says about a configuration."""
    path = folder / "agent.json"
    path.write_text(json.dumps(value))
    command = [sys.executable, "-m", "kvmmanager_agent", "--check-config", "--config", str(path)]
    return subprocess.run(command, cwd=AGENT, capture_output=True, text=True, check=False)


def test_the_command_names_what_is_wrong(tmp_path: pathlib.Path) -> None:
    done = check({"limits": {"memory": 1}}, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    expected = "limits has the unknown key memory; it may have concurrent, output, file_size, seconds, warm_python"
    assert done.stderr == f"kvmmanager-agent: {tmp_path}/agent.json: {expected}\n"


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_the_example_of_the_readme_is_right(tmp_path: pathlib.Path) -> None:
    text = (AGENT / "README.md").read_text()
    example = json.loads(text.partition("```json\n")[2].partition("```")[0])
    jsonschema.Draft202012Validator(SCHEMA).validate(example)
    done = check(example, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "may call, by the profile files" in done.stdout
