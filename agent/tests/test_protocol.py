# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PROTOCOL.md and README.md say what the code does."""

import json
import pathlib
import re
import unittest
from typing import Any, Dict

from kvmmanager_agent import config, wire
from kvmmanager_agent.__main__ import METHOD_MODULES
from kvmmanager_agent.policy import Limits
from kvmmanager_agent.registry import METHODS, PROFILES

AGENT = pathlib.Path(__file__).parents[1]


class Documents(unittest.TestCase):
    def setUp(self) -> None:
        self.protocol = (AGENT / "PROTOCOL.md").read_text(encoding="utf-8")
        self.readme = (AGENT / "README.md").read_text(encoding="utf-8")

    def test_every_method_stands_under_its_profile(self) -> None:
        self.assertTrue(METHOD_MODULES)
        parts = re.split(r"### Profile `(\w+)`", self.protocol)
        documented = dict(zip(parts[1::2], parts[2::2]))
        self.assertEqual(set(documented), set(PROFILES))
        for name, method in METHODS.items():
            row = re.search(rf"^\|.*`{name}`.*$", documented[method.profile], re.MULTILINE)
            self.assertIsNotNone(row, name)
            for param in method.params:
                self.assertIn(f"`{param}`", documented[method.profile], name)

    def test_every_error_is_explained_once(self) -> None:
        codes = sorted(value for name, value in vars(wire).items() if name.isupper() and isinstance(value, int))
        negative = [code for code in codes if code < 0]
        documented = [int(code) for code in re.findall(r"^\| (-32\d+) \|", self.protocol, re.MULTILINE)]
        self.assertEqual(sorted(documented), negative)

    def test_sizes(self) -> None:
        for size in (wire.MAX_LINE, wire.MAX_PAYLOAD, wire.WINDOW, len(wire.PREAMBLE) - 1):
            self.assertIn(str(size), self.protocol)

    def test_the_schema_has_what_the_code_has(self) -> None:
        schema = json.loads((AGENT / "config.schema.json").read_text(encoding="utf-8"))
        keys = schema["properties"]
        self.assertEqual(keys["profile"]["enum"], list(PROFILES))
        self.assertEqual(keys["port"]["default"], config.DEFAULT_PORT)
        self.assertEqual(schema["$defs"]["methods"]["items"]["enum"], sorted(METHODS))
        limits = {name: (limit["maximum"], limit["default"]) for name, limit in keys["limits"]["properties"].items()}
        self.assertEqual(
            limits, {name: (config.HIGHEST[name], default) for name, default in Limits()._asdict().items()}
        )
        # What the schema knows, the code takes; that neither takes more is tested where jsonschema is there.
        lists: Dict[str, Any] = {name: {key: [] for key in keys[name]["properties"]} for name in ("methods", "paths")}
        defaults = {name: keys[name]["default"] for name in ("profile", "port")}
        value = dict(defaults, programs=[], limits=Limits()._asdict(), **lists)
        self.assertEqual(set(value), set(keys))
        config.parse(value)

    def test_every_key_of_the_configuration(self) -> None:
        for key in ("profile", "methods.allow", "methods.block", "paths.read", "paths.write", "programs", "port"):
            self.assertIn(f"`{key}`", self.readme)
        for limit in Limits._fields:
            self.assertIn(f"`limits.{limit}`", self.readme)
        self.assertIn(config.DEFAULT_PATH, self.readme)
        self.assertIn(config.DEFAULT_PORT, self.readme)
