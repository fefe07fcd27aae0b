# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration and the policy that it makes."""

import json
import pathlib
import signal
import tempfile
import unittest
from typing import Any, Dict

from kvmmanager_agent import config, wire
from kvmmanager_agent.__main__ import METHOD_MODULES, main
from kvmmanager_agent.registry import METHODS

from .host import AgentCase


class Parsing(unittest.TestCase):
    def test_profiles_include_each_other(self) -> None:
        monitor, files, full = (
            set(config.parse({"profile": name}).policy.methods()) for name in ("monitor", "files", "full")
        )
        self.assertTrue(METHOD_MODULES)
        self.assertTrue(monitor < files < full)
        self.assertEqual(full, set(METHODS))
        self.assertFalse([name for name in monitor if name.startswith(("file", "exec", "shut", "reb"))])

    def test_without_a_file_only_monitoring(self) -> None:
        self.assertEqual(config.parse({}).policy.profile, "monitor")

    def test_lists_add_and_take_away(self) -> None:
        policy = config.parse({"methods": {"allow": ["shutdown", "reboot"], "block": ["reboot", "ping"]}}).policy
        self.assertIn("shutdown", policy.methods())
        self.assertNotIn("reboot", policy.methods())
        self.assertNotIn("ping", policy.methods())
        self.assertEqual(policy.refusal("reboot").code, wire.DENIED)

    def test_files_needs_folders(self) -> None:
        self.assertEqual(config.parse({"profile": "files"}).policy.read, ())
        self.assertEqual(config.parse({"profile": "full"}).policy.write, ("/",))

    def test_errors_name_the_key(self) -> None:
        wrong: Dict[str, Any] = {
            "colour": {"colour": 1},
            "profile": {"profile": "root"},
            "methods": {"methods": []},
            "methods.block": {"methods": {"block": ["no_such"]}},
            "deny": {"methods": {"deny": []}},
            "paths.read": {"paths": {"read": ["relative"]}},
            "paths.write": {"paths": {"write": ["/a/../b"]}},
            "programs": {"programs": "ls"},
            "limits.seconds": {"limits": {"seconds": 0}},
            "limits.output": {"limits": {"output": True}},
            "port": {"port": 5},
            "the file": [],
        }
        for key, value in wrong.items():
            with self.assertRaises(config.ConfigError) as raised:
                config.parse(value)
            self.assertIn(key, str(raised.exception))

    def test_files_that_cannot_be_used(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, "c.json")
            for text in ("", "{", '{"profile": "full", "profile": "monitor"}', "[" * 100000, "\udcff"):
                path.write_bytes(text.encode("utf-8", "surrogateescape"))
                with self.assertRaises(config.ConfigError):
                    config.load(str(path))
            path.unlink()
            with self.assertRaises(config.ConfigError):
                config.load(str(path))
            self.assertEqual(config.load(str(path), required=False), config.parse({}))
            self.assertEqual(main(["--check-config", "--config", str(path)]), 1)
            self.assertEqual(main(["--port", str(path)]), 1)

    def test_in_words(self) -> None:
        words = config.describe(config.parse({"profile": "full", "programs": ["/bin/ls"], "paths": {"write": []}}))
        for part in ("exec_command", "read files below: /\n", "change files below: nowhere", "bin/ls", "8 requests"):
            self.assertIn(part, words)


class Policies(AgentCase):
    config = {"profile": "monitor"}

    def test_what_a_profile_lacks_is_denied(self) -> None:
        found = self.host.hello()
        self.assertNotIn("exec", found["methods"])
        self.refused(wire.DENIED, "exec_command", argv=["true"])
        self.refused(wire.DENIED, "file_read", path="/etc/hostname")
        self.refused(wire.DENIED, "shutdown")

    def test_reload(self) -> None:
        self.host.hello()
        self.configure({"profile": "monitor", "methods": {"block": ["get_disk_usage"]}})
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: "read again" in self.log())
        self.refused(wire.DENIED, "get_disk_usage")
        self.config_path.write_text(json.dumps({"profile": "everything"}))
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: "former configuration stays" in self.log())
        self.refused(wire.DENIED, "get_disk_usage")
        self.host.call("get_system_info")


class Audited(AgentCase):
    def test_calls_are_logged_without_content(self) -> None:
        self.host.hello()
        self.host.call("exec_command", argv=["echo", "pass-word"], stdin="c2VjcmV0", env={"X": "hidden"})
        self.refused(wire.METHOD_NOT_FOUND, "no\nsuch\x1b[31m")
        log = self.log()
        self.assertRegex(log, r"exec_command \S*bin/echo: ok after")
        self.assertIn(r"no\nsuch\x1b[31m", log)
        for secret in ("pass-word", "c2VjcmV0", "secret", "hidden"):
            self.assertNotIn(secret, log)
