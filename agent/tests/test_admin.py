# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock, SSH keys and passwords. Nothing of this machine is changed."""

import base64
import os
import pathlib
import stat
import tempfile
import time
import unittest
from typing import Any, Dict
from unittest import mock

from kvmmanager_agent import wire
from kvmmanager_agent.linux import authorized_keys, clock, passwords, programs
from kvmmanager_agent.linux.users import Account

from .host import AgentCase


def key(content: bytes, kind: str = "ssh-ed25519") -> str:
    """A public key as OpenSSH writes it."""
    name = kind.encode("ascii")
    return kind + " " + base64.b64encode(len(name).to_bytes(4, "big") + name + content).decode("ascii")


ONE, TWO, THREE = key(b"one"), key(b"two", "ssh-rsa"), key(b"three", "ecdsa-sha2-nistp256")


class Keys(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="agent-")
        self.addCleanup(scratch.cleanup)
        self.home = pathlib.Path(scratch.name).resolve() / "home"
        self.home.mkdir(0o755)
        self.file = self.home / ".ssh" / "authorized_keys"
        self.account = Account("ann", os.geteuid(), os.getegid(), [], str(self.home), "/bin/sh")

    def refused(self, code: int, keys: Any = (ONE,)) -> None:
        with self.assertRaises(wire.WireError) as raised:
            authorized_keys.added(self.account, list(keys))
        self.assertEqual(raised.exception.code, code, raised.exception.message)

    def test_add_list_remove(self) -> None:
        self.assertEqual(authorized_keys.listed(self.account), [])
        self.assertEqual(authorized_keys.removed(self.account, [ONE]), 0)
        self.assertFalse(self.file.exists())
        self.assertEqual(authorized_keys.added(self.account, [ONE + " ann@host", TWO, ONE]), 2)
        self.assertEqual(authorized_keys.added(self.account, [ONE, f'command="a b",no-pty {TWO} x']), 0)
        self.assertEqual(authorized_keys.listed(self.account), [ONE + " ann@host", TWO])
        self.assertEqual([stat.S_IMODE(path.stat().st_mode) for path in (self.file.parent, self.file)], [0o700, 0o600])
        self.assertEqual(authorized_keys.removed(self.account, [ONE, THREE]), 1)
        self.assertEqual(self.file.read_text(encoding="ascii"), TWO + "\n")
        self.assertEqual(os.listdir(str(self.file.parent)), ["authorized_keys"])

    def test_lines_that_are_no_keys_stay(self) -> None:
        self.file.parent.mkdir(0o700)
        options = f'from="10.0.0.0/8",command="echo \\"hi\\" x" {THREE} c'
        self.file.write_bytes(b"# comment\n\nnonsense \xff\n" + options.encode("ascii"))
        authorized_keys.added(self.account, [ONE])
        self.assertEqual(
            self.file.read_bytes(), b"# comment\n\nnonsense \xff\n" + (options + "\n" + ONE + "\n").encode("ascii")
        )
        self.assertEqual(authorized_keys.listed(self.account), [options, ONE])
        self.assertEqual(authorized_keys.removed(self.account, [THREE]), 1)
        self.assertEqual(authorized_keys.listed(self.account), [ONE])

    def test_what_is_no_key(self) -> None:
        for line in (
            "",
            "hello",
            "# " + ONE,
            "ssh-rsa AAAA",
            key(b"x") + "\n" + key(b"y"),
            "ssh-rsa " + ONE.split()[1],
            ONE.replace(" ", "\u2028"),
            *(f"{ONE} comment{character}{TWO}" for character in "\0\r\n\x0b\x0c\x1b\x1c\x1d\x1e\x7f\x85\u2028\u2029"),
            *(f"{ONE} comment{character}" for character in "\x0b\x1e\x85\u2028"),
        ):
            self.refused(wire.INVALID_PARAMS, [line])
        self.assertFalse(self.file.exists())

    def test_only_line_feeds_end_a_line(self) -> None:
        """As for sshd: what stands after anything else is the comment of the line's key, or part of no key."""
        self.file.parent.mkdir(0o700)
        odd = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
        lines = [f"# {character}{TWO}" for character in odd] + [f"{ONE} a{character}{TWO}" for character in odd]
        content = "".join(line + "\n" for line in lines) + f"{THREE} left\tby another system\r\n"
        self.file.write_bytes(content.encode("utf-8"))
        self.assertEqual(authorized_keys.removed(self.account, [TWO]), 0)
        self.assertEqual(authorized_keys.added(self.account, [THREE]), 0)
        self.assertEqual(self.file.read_bytes(), content.encode("utf-8"))
        self.assertEqual(authorized_keys.listed(self.account), lines[len(odd) :] + [f"{THREE} left\tby another system"])
        self.assertEqual(authorized_keys.added(self.account, [TWO.replace(" ", "\t") + " ü\n"]), 1)
        self.assertEqual(authorized_keys.removed(self.account, [ONE]), len(odd))
        kept = lines[: len(odd)] + [f"{THREE} left\tby another system\r", TWO.replace(" ", "\t") + " ü"]
        self.assertEqual(self.file.read_bytes(), "".join(line + "\n" for line in kept).encode("utf-8"))

    def test_folder_that_is_a_link(self) -> None:
        (self.home / "elsewhere").mkdir(0o700)
        (self.home / ".ssh").symlink_to("elsewhere")
        self.refused(wire.WRONG_TYPE)
        self.assertEqual(os.listdir(str(self.home / "elsewhere")), [])

    def test_files_that_are_something_else(self) -> None:
        self.file.parent.mkdir(0o700)
        secret = self.home / "secret"
        secret.write_text("secret", encoding="ascii")
        self.file.symlink_to(secret)
        self.refused(wire.WRONG_TYPE)
        self.file.unlink()
        os.link(str(secret), str(self.file))
        self.refused(wire.WRONG_TYPE)
        self.file.unlink()
        os.mkfifo(str(self.file))
        self.refused(wire.WRONG_TYPE)
        self.file.unlink()
        self.file.write_bytes(b"x" * (1024 * 1024 + 1))
        self.refused(wire.TOO_LARGE)
        self.assertEqual(secret.read_text(encoding="ascii"), "secret")

    def test_what_others_can_change(self) -> None:
        self.file.parent.mkdir(0o700)
        self.file.parent.chmod(0o777)
        self.refused(wire.WRONG_TYPE)
        self.file.parent.chmod(0o700)
        self.home.chmod(0o777)
        self.refused(wire.WRONG_TYPE)


class Passwords(unittest.TestCase):
    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="agent-")
        self.addCleanup(scratch.cleanup)
        self.told = pathlib.Path(scratch.name, "told")
        self.program = pathlib.Path(scratch.name, "chpasswd")
        self.program.write_text(f'#!/bin/sh\necho "$@" > {self.told}\ncat >> {self.told}\n', encoding="ascii")
        self.program.chmod(0o755)
        patch = mock.patch.object(programs, "FOLDERS", (scratch.name,))
        patch.start()
        self.addCleanup(patch.stop)

    def test_it_goes_through_stdin_alone(self) -> None:
        passwords.set_password("ann", "ü x:y", False)
        self.assertEqual(self.told.read_text(encoding="utf-8"), "\nann:ü x:y\n")
        passwords.set_password("ann", "$6$a$b", True)
        self.assertEqual(self.told.read_text(encoding="utf-8"), "-e\nann:$6$a$b\n")

    def test_what_cannot_be_a_password(self) -> None:
        for password, crypted in (("", False), ("a\nroot:b", False), ("a\rb", False), ("a:b", True)):
            with self.assertRaises(wire.WireError) as raised:
                passwords.set_password("ann", password, crypted)
            self.assertEqual(raised.exception.code, wire.INVALID_PARAMS)
        self.assertFalse(self.told.exists())

    def test_errors_do_not_repeat_it(self) -> None:
        self.program.write_text("#!/bin/sh\ncat >&2\nexit 1\n", encoding="ascii")
        with self.assertRaises(wire.WireError) as raised:
            passwords.set_password("ann", "hidden", False)
        self.assertEqual(raised.exception.code, wire.SYSTEM_ERROR)
        self.assertNotIn("hidden", raised.exception.message)
        self.program.unlink()
        with self.assertRaises(wire.WireError) as raised:
            passwords.set_password("ann", "hidden", False)
        self.assertEqual(raised.exception.code, wire.UNSUPPORTED)


class Clock(unittest.TestCase):
    def test_both_clocks(self) -> None:
        with mock.patch.object(time, "clock_settime") as system, mock.patch.object(programs, "find") as find:
            find.return_value = None
            self.assertFalse(clock.set_clock(1.5e9))
            find.return_value = "/bin/true"
            with mock.patch.object(clock, "_HARDWARE", ("/",)):
                self.assertTrue(clock.set_clock(1.5e9))
        system.assert_called_with(time.CLOCK_REALTIME, 1.5e9)


class Calls(AgentCase):
    def test_wrong_parameters(self) -> None:
        self.host.hello()
        wrong: Dict[str, Any] = {
            "set_time": ({}, {"time": -1}, {"time": "now"}, {"time": 2**40}),
            "ssh_keys_list": ({}, {"user": 5}),
            "ssh_keys_add": ({"user": "root"}, {"user": "root", "keys": ONE}, {"user": "root", "keys": []}),
            "ssh_keys_remove": ({"user": "root", "keys": ["nonsense"]}, {"user": "root", "keys": [ONE] * 101}),
            "set_password": ({"user": "root"}, {"user": "root", "password": ""}, {"user": "root", "password": "a\nb"}),
        }
        for method, cases in wrong.items():
            for params in cases:
                self.refused(wire.INVALID_PARAMS, method, **params)

    def test_nothing_secret_is_logged(self) -> None:
        self.host.hello()
        self.refused(wire.NOT_FOUND, "set_password", user="nobody-knows", password="hidden-word")
        self.refused(wire.NOT_FOUND, "ssh_keys_add", user="nobody-knows", keys=[ONE])
        self.assertIn("set_password nobody-knows: error", self.log())
        for secret in ("hidden-word", ONE.split()[1]):
            self.assertNotIn(secret, self.log())


class Profiles(AgentCase):
    config = {"profile": "files", "paths": {"read": ["/"], "write": ["/"]}}

    def test_only_full_allows_them(self) -> None:
        self.host.hello()
        for method in ("fs_freeze", "fs_thaw", "set_time", "ssh_keys_list", "ssh_keys_add", "ssh_keys_remove"):
            self.refused(wire.DENIED, method)
        self.refused(wire.DENIED, "set_password")
