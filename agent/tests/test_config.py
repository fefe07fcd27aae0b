# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration and the policy that it makes."""

import contextlib
import io
import json
import os
import pathlib
import signal
import tempfile
import unittest
from typing import Any, Dict, Iterator, List

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
            "methods.allow": {"methods": {"allow": [[]]}},
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
            path.write_text(" " * (1024 * 1024) + "{}", encoding="ascii")
            with self.assertRaisesRegex(config.ConfigError, "has more than"):
                config.load(str(path))
            path.unlink()
            with self.assertRaises(config.ConfigError):
                config.load(str(path))
            self.assertEqual(config.load(str(path), required=False), config.parse({}))
            self.assertEqual(main(["--check-config", "--config", str(path)]), 1)
            self.assertEqual(main(["--port", str(path)]), 1)

    def test_what_is_no_regular_file_is_not_waited_for(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, "c.json")
            os.mkfifo(str(path))
            before = len(os.listdir("/proc/self/fd"))
            for name in (str(path), scratch, "/dev/zero"):
                with self.assertRaisesRegex(config.ConfigError, "not a regular file"):
                    config.load(name)
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_in_words(self) -> None:
        words = config.describe(config.parse({"profile": "full", "programs": ["/bin/ls"], "paths": {"write": []}}))
        for part in ("exec_command", "read files below: /\n", "change files below: nowhere", "bin/ls", "8 requests"):
            self.assertIn(part, words)


# Of every type, and of the right one with everything that can be wrong inside it.
_VALUES: List[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1,
    1.5,
    1e999,
    10**30,
    "",
    "x",
    "/",
    "/\0",
    "/\ud800",
    "\udcff",
    "/../x",
    "ping",
]
_VALUES += [
    [],
    {},
    [[]],
    [{}],
    [None],
    [1],
    ["/", 5],
    ["/\n", "/\ud800"],
    ["ping", ["ping"]],
    {"": 1},
    {"\ud800\n": {}},
]
_VALUES += [{"allow": {}}, {"read": 5}, {"seconds": "1"}, [[[[]]]], "9" * 5000, ["x" * 100000], "/" + "x" * 5000]


def _configurations() -> Iterator[Any]:
    """Each key with each value, most of which are wrong for it."""
    inner = {"methods": ("allow", "block"), "paths": ("read", "write"), "limits": tuple(config.HIGHEST)}
    for value in _VALUES:
        yield value
        for key in ("profile", "port", "methods", "paths", "programs", "limits", "\ud800", "a\nb"):
            yield {key: value}
            for name in inner.get(key, ()):
                yield {key: {name: value}}
                yield {"profile": "full", key: {name: [value]}}


class IllTyped(unittest.TestCase):
    def test_each_is_either_right_or_one_sentence(self) -> None:
        right = wrong = 0
        for value in _configurations():
            try:
                words = config.describe(config.parse(value))
                self.assertIn("may call", words)
                right += 1
            except config.ConfigError as error:
                self.assertRegex(str(error), r"^[ -~]{10,400}$", repr(value)[:200])
                wrong += 1
        self.assertGreater(right, 20)
        self.assertGreater(wrong, 500)

    def test_the_command_says_it_and_ends(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            path = pathlib.Path(scratch, "c.json")
            texts = [json.dumps(value) for value in _configurations()]
            texts += [
                '{"limits": {"seconds": %s}}' % ("9" * 500000),
                '{"a": 1, "a\\n": 1, "a": 1}',
                "[" * 5000 + "]" * 5000,
            ]
            texts += ["{" + ",".join(f'"{number}": 1' for number in range(60000)) + "}", "NaN", "\ufeff{}"]
            for text in texts:
                path.write_text(text, encoding="utf-8")
                said, failed = io.StringIO(), io.StringIO()
                with contextlib.redirect_stdout(said), contextlib.redirect_stderr(failed):
                    status = main(["--check-config", "--config", str(path)])
                self.assertEqual(len(failed.getvalue().splitlines()), status, text[:200])
                self.assertEqual(bool(said.getvalue()), not status, text[:200])


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

    def reload(self, said: str) -> None:
        """Have the configuration read again, which adds a line to the log."""
        times = self.log().count(said)
        self.process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.log().count(said) > times)

    def test_reload_of_nonsense(self) -> None:
        self.host.hello()
        values: List[Any] = [
            {"methods": {"allow": [[]]}},
            {"paths": {"read": [{}]}},
            {"programs": ["/\ud800"]},
            {"port": []},
            5,
        ]
        for value in values:
            self.config_path.write_text(json.dumps(value))
            self.reload("former configuration stays")
            self.host.call("ping")
        self.config_path.unlink()
        os.mkfifo(str(self.config_path))
        self.reload("former configuration stays")
        self.host.call("ping")

    def test_reload_does_not_change_the_port(self) -> None:
        self.host.hello()
        self.reload("read again")
        self.assertNotIn("the port stays", self.log())
        self.configure({"port": "/dev/virtio-ports/other"})
        self.reload(f"the port stays {config.DEFAULT_PORT} until the agent starts again")
        self.host.call("ping")


class Audited(AgentCase):
    def test_calls_are_logged_without_content(self) -> None:
        self.host.hello()
        self.host.call("exec_command", argv=["echo", "pass-word"], stdin="c2VjcmV0", env={"X": "hidden"})
        self.refused(wire.METHOD_NOT_FOUND, "no\nsuch\x1b[31m")
        log = self.log()
        self.assertRegex(log, r"exec_command \S*bin/echo: ok after")
        self.refused(wire.NOT_FOUND, "exec_command", argv=["no-such-program"])
        self.assertIn("exec_command no-such-program: error", self.log())
        self.assertIn(r"no\nsuch\x1b[31m", log)
        for secret in ("pass-word", "c2VjcmV0", "secret", "hidden"):
            self.assertNotIn(secret, log)
