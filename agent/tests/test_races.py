# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Users of the guest who change what a path means while the agent follows it, as fast as they can."""

import os
import pathlib
import stat
import subprocess
import sys
import time
from typing import Any, Callable, Dict, List, Tuple

from kvmmanager_agent import wire

from .host import PATIENCE, AgentCase, RemoteError, decoded
from .test_files import FileCase, sha256

TIMES = 300 if "KVMMANAGER_FAULTS" in os.environ else 8
INSIDE, OUTSIDE = b"inside", b"outside"
# Each is another process, and never rests.
_FOLDER = """
import os, sys
inside, aside, outside = sys.argv[1:]
while True:
    os.rename(inside, aside)
    os.symlink(outside, inside)
    os.unlink(inside)
    os.rename(aside, inside)
"""
_FILE = """
import os, sys
inside, aside, outside = sys.argv[1:]
while True:
    os.symlink(outside, aside)
    os.rename(aside, inside)
    with open(aside, "wb") as handle:
        handle.write(b"inside")
    os.rename(aside, inside)
"""


class Races(FileCase):
    def setUp(self) -> None:
        super().setUp()
        self.outside = self.folder / "outside"
        self.outside.mkdir()
        self.victim = self.outside / "file"
        self.victim.write_bytes(OUTSIDE)
        self.before = self.state()

    def state(self) -> Dict[str, Tuple[int, int, bytes]]:
        """All that is outside, but for when it was read."""
        found = {}
        for path in self.outside.iterdir():
            facts = path.stat()
            found[path.name] = (facts.st_mode, facts.st_mtime_ns, path.read_bytes())
        return found

    def race(self, swapper: str, inside: pathlib.Path, outside: pathlib.Path, attempt: Callable[[], Any]) -> None:
        """Try it again and again while another process swaps, until it was both done and refused."""
        words = [sys.executable, "-S", "-c", swapper, str(inside), str(self.area / "aside"), str(outside)]
        process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        done = refused = tries = 0
        end = time.monotonic() + PATIENCE  # a busy machine may let the other process wait for long
        try:
            while tries < TIMES or ((not done or not refused) and time.monotonic() < end):
                tries += 1
                try:
                    attempt()
                    done += 1
                except RemoteError:
                    refused += 1
                self.assertEqual(self.state(), self.before)
            self.assertIsNone(process.poll(), "the other process swaps until the end")
        finally:
            process.kill()
            process.wait()
        self.assertTrue(done, "it was never done")
        self.assertTrue(refused, "it was never refused")

    def attempts(self, path: pathlib.Path) -> Dict[str, Callable[[], Any]]:
        """What is tried with a file; what reads checks that it is the one inside."""
        data = "QUJD"

        def read() -> None:
            self.assertIn(
                decoded(self.host.call("file_read", path=str(path))["data"]), (INSIDE, b"ABC", b"ABCide", b"")
            )

        def get() -> None:
            self.assertNotEqual(self.get(path), OUTSIDE)

        def check() -> None:
            found = self.host.call("file_stat", path=str(path), sha256=True)
            self.assertNotEqual(found.get("sha256"), sha256(OUTSIDE))

        return {
            "read": read,
            "get": get,
            "stat": check,
            "write": lambda: self.host.call("file_write", path=str(path), data=data),
            "truncate": lambda: self.host.call("file_write", path=str(path), data=data, create=True, truncate=True),
            "put": lambda: self.put(path, b"ABC", mode=0o600),
        }

    def test_a_folder_on_the_way(self) -> None:
        for name, attempt in self.attempts(self.area / "sub" / "file").items():
            with self.subTest(name):
                inside = self.area / name
                inside.mkdir()
                (inside / "file").write_bytes(INSIDE)
                (self.area / "sub").mkdir()
                (self.area / "sub" / "file").write_bytes(INSIDE)
                self.race(_FOLDER, self.area / "sub", self.outside, attempt)
                self.tidy()

    def test_a_folder_in_which_something_is_made_and_removed(self) -> None:
        made = str(self.area / "sub" / "made")

        def make() -> None:
            try:
                self.host.call("file_mkdir", path=made)
            except RemoteError as error:
                if error.code != wire.EXISTS:
                    raise
            self.host.call("file_remove", path=made)

        def remove() -> None:
            self.host.call("file_write", path=made, data="", create=True)
            self.host.call("file_remove", path=made)

        def entries() -> None:
            found = self.host.call("file_list", path=str(self.area / "sub"))["entries"]
            self.assertEqual([entry["name"] for entry in found], ["mine"])

        for attempt in (make, remove, entries):
            (self.area / "sub").mkdir()
            if attempt is entries:
                (self.area / "sub" / "mine").touch()
            self.race(_FOLDER, self.area / "sub", self.outside, attempt)
            self.tidy()

    def test_a_file_itself(self) -> None:
        path = self.area / "file"
        for name, attempt in self.attempts(path).items():
            if name == "stat":
                continue  # it is not refused for a link, but tells of it
            with self.subTest(name):
                path.write_bytes(INSIDE)
                self.race(_FILE, path, self.victim, attempt)
                self.tidy()

    def tidy(self) -> None:
        """Remove what the attempts and the swaps have left, wherever they were stopped."""
        for name in ("sub", "aside", "file"):
            path = self.area / name
            if path.is_symlink() or path.is_file():
                path.unlink()
            elif path.is_dir():
                subprocess.run(["rm", "-rf", str(path)], check=True)


class SpecialFiles(FileCase):
    """What is neither a file nor a folder is refused before it is opened: that alone can do something."""

    def methods(self, path: str) -> List[Tuple[str, Dict[str, Any]]]:
        return [
            ("file_read", {"path": path}),
            ("file_get", {"path": path}),
            ("file_write", {"path": path, "data": "QUJD", "create": True, "truncate": True}),
            ("file_put", {"path": path, "size": 0, "sha256": sha256(b"")}),
            ("file_list", {"path": path}),
            ("file_stat", {"path": path, "sha256": True}),
            ("file_read", {"path": path + "/below"}),
            ("file_mkdir", {"path": path + "/below"}),
            ("file_remove", {"path": path + "/below"}),
        ]

    def check(self, path: pathlib.Path, kind: str) -> None:
        for method, params in self.methods(str(path)):
            self.refused(wire.WRONG_TYPE, method, **params)
        self.refused(wire.EXISTS, "file_mkdir", path=str(path))
        self.assertEqual(self.host.call("file_stat", path=str(path))["type"], kind)
        self.host.call("file_remove", path=str(path))

    def test_fifo(self) -> None:
        os.mkfifo(str(self.area / "fifo"))
        self.check(self.area / "fifo", "fifo")

    def test_devices(self) -> None:
        numbers = ((stat.S_IFCHR, os.makedev(1, 5)), (stat.S_IFBLK, os.makedev(7, 0)), (stat.S_IFCHR, os.makedev(5, 0)))
        for kind, number in numbers:
            try:
                os.mknod(str(self.area / "device"), kind | 0o666, number)
            except PermissionError:
                self.skipTest("only root can make devices, and not in every container")
            self.check(self.area / "device", "device")


class Proc(AgentCase):
    """Below / everything is allowed, but the links of /proc lead where their names do not say."""

    config = {"profile": "files", "paths": {"read": ["/"], "write": ["/"]}}

    def test_links_of_processes(self) -> None:
        self.host.hello()
        target = self.folder / "file"
        target.write_bytes(INSIDE)
        here = os.open(str(self.folder), os.O_RDONLY)
        self.addCleanup(os.close, here)
        process = f"/proc/{os.getpid()}"
        for way in ("/proc/self/root", f"{process}/root", "/proc/thread-self/root", "/proc/1/root"):
            self.check(f"{way}{target}")
        for way in (
            f"{process}/fd/{here}/file",
            f"{process}/cwd/file",
            f"{process}/fd/{here}",
            f"{process}/exe",
            "/proc/self",
        ):
            self.check(way)
        self.check("/dev/fd/0")
        self.check("/dev/stdin")
        self.assertEqual(target.read_bytes(), INSIDE)

    def check(self, path: str) -> None:
        calls: Tuple[Tuple[str, Dict[str, Any]], ...] = (
            ("file_read", {}),
            ("file_get", {}),
            ("file_write", {"data": "QUJD", "create": True}),
            ("file_put", {"size": 0, "sha256": sha256(b"")}),
            ("file_list", {}),
            ("file_mkdir", {}),
        )
        for method, params in calls:
            with self.assertRaises(RemoteError) as raised:
                self.host.call(method, path=path, **params)
            # Who is not root does not even get to the root of another process.
            codes = (
                (wire.WRONG_TYPE, wire.EXISTS)
                if os.geteuid() == 0
                else (wire.WRONG_TYPE, wire.EXISTS, wire.SYSTEM_ERROR)
            )
            self.assertIn(raised.exception.code, codes, f"{method} {path}: {raised.exception}")
        for method in ("file_remove", "file_mkdir"):
            with self.assertRaises(RemoteError):
                self.host.call(method, path=path + "/x")
