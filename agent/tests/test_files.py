# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files: whole transfers, small pieces, and paths that must not be followed."""

import base64
import hashlib
import os
import pathlib
import random
import socket
import stat
import tempfile
import threading
import unittest
from typing import Any, Dict, List, Optional, Tuple
from unittest import mock

from kvmmanager_agent import wire
from kvmmanager_agent.jobs import Job
from kvmmanager_agent.linux import paths
from kvmmanager_agent.outbox import Outbox
from kvmmanager_agent.policy import Policy
from kvmmanager_agent.sessions import Session
from kvmmanager_agent.transfer import Digest, Download

from .host import PATIENCE, AgentCase, RemoteError, decoded


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class FileCase(AgentCase):
    """An agent that may use one folder alone."""

    def configuration(self) -> Dict[str, Any]:
        self.area = self.folder / "area"
        self.area.mkdir()
        return {"profile": "files", "paths": {"read": [str(self.area)], "write": [str(self.area)]}}

    def setUp(self) -> None:
        super().setUp()
        (self.folder / "secret").write_bytes(b"secret")
        self.host.hello(frames=True)

    def put(self, path: Any, content: bytes, **params: Any) -> Dict[str, Any]:
        identity = self.host.start("file_put", path=str(path), size=len(content), sha256=sha256(content), **params)
        if params.get("resume"):
            credit = self.host.credit(identity)
            self.host.feed(identity, "content", content, credit["from"], credit["limit"])
        else:
            self.host.feed(identity, "content", content)
        return self.host.answer(identity)

    def get(self, path: Any, offset: int = 0) -> bytes:
        streams: Dict[str, bytes] = {}
        found = self.host.answer(self.host.start("file_get", path=str(path), offset=offset), streams)
        content = streams["content"]
        self.assertEqual(found["size"], offset + len(content))
        if not offset:
            self.assertEqual(found["sha256"], sha256(content))
        return content

    def partials(self) -> int:
        return len([name for name in os.listdir(str(self.area)) if name.endswith(".part")])


class Transfers(FileCase):
    def test_both_ways(self) -> None:
        target = self.area / "file"
        for size in (0, 1, 65536, 3 * 1024 * 1024 + 17):
            for frames in (True, False):
                self.host.hello(frames=frames)
                content = os.urandom(size)
                self.assertEqual(self.put(target, content), {"received": size})
                self.assertEqual(self.get(target), content)
                self.assertEqual(self.get(target, size // 2), content[size // 2 :])
        self.assertEqual(self.partials(), 0)

    def test_mode_and_owner(self) -> None:
        target = self.area / "file"
        self.put(target, b"one")
        self.assertEqual(stat.S_IMODE(target.stat().st_mode), 0o600)
        self.put(target, b"two", mode=0o4751)
        self.assertEqual(stat.S_IMODE(target.stat().st_mode), 0o4751)
        self.put(target, b"three", resume=True)
        self.assertEqual((stat.S_IMODE(target.stat().st_mode), target.read_bytes()), (0o4751, b"three"))

    @unittest.skipIf(os.geteuid() != 0, "only root can give files away")
    def test_owner_is_set_and_then_kept(self) -> None:
        target = self.area / "file"
        self.put(target, b"one", owner="nobody", group="12345")
        self.put(target, b"two")
        self.assertEqual((target.stat().st_gid, target.owner()), (12345, "nobody"))
        identity = self.host.start("file_put", path=str(target), size=0, sha256=sha256(b""), owner="nobody-knows")
        with self.assertRaises(RemoteError):
            self.host.answer(identity)

    def test_wrong_checksum_leaves_the_old_file(self) -> None:
        target = self.area / "file"
        target.write_bytes(b"old")
        for content, announced in ((b"new", b"neu"), (b"new", b"ne"), (b"new", b"newer")):
            params = {"path": str(target), "size": len(announced), "sha256": sha256(announced)}
            identity = self.host.start("file_put", **params)
            self.host.feed(identity, "content", content)
            with self.assertRaises(RemoteError) as raised:
                self.host.answer(identity)
            self.assertIn(raised.exception.code, (wire.BAD_CHECKSUM, wire.BAD_STREAM))
        self.assertEqual((target.read_bytes(), self.partials()), (b"old", 0))

    def test_resume_after_the_host_vanished_anywhere(self) -> None:
        content = os.urandom(200000)
        target = self.area / "file"
        chance = random.Random(3)
        for count in range(12):
            identity = self.host.start(
                "file_put", path=str(target), size=len(content), sha256=sha256(content), resume=True
            )
            begin = self.host.credit(identity)["from"]
            self.assertEqual(begin, count * 12000)
            # All that came whole is kept, also when the agent reads it only after its host has gone.
            self.pause()
            piece = wire.data(identity, "content", begin, content[begin : begin + 12000], frames=True)
            self.host.raw(piece + piece[: chance.randrange(len(piece))])
            self.host.vanish()
            self.go_on()
            self.host.hello(frames=True)
            self.assertFalse(target.exists())
        self.assertEqual(self.put(target, content, resume=True)["received"], len(content) - 12 * 12000)
        self.assertEqual((target.read_bytes(), self.partials()), (content, 0))

    def test_a_whole_file_whose_host_vanished_is_not_put_in_place(self) -> None:
        content = os.urandom(8000)
        target = self.area / "file"
        identity = self.host.start("file_put", path=str(target), size=len(content), sha256=sha256(content))
        self.wait_for(self.partials)
        self.pause()
        self.host.raw(wire.data(identity, "content", 0, content, eof=True, frames=True))
        self.host.vanish()
        self.go_on()
        self.host.hello(frames=True)
        self.assertEqual(self.put(target, content, resume=True), {"received": 0})

    def test_without_resume_a_partial_file_is_begun_anew(self) -> None:
        content = os.urandom(100000)
        identity = self.host.start("file_put", path=str(self.area / "file"), size=len(content), sha256=sha256(content))
        self.host.raw(wire.data(identity, "content", 0, bytes(50000)))
        self.wait_for(self.partials)
        self.host.hello()
        self.assertEqual(self.put(self.area / "file", content)["received"], len(content))

    def test_termination_in_mid_transfer(self) -> None:
        target = self.area / "file"
        identity = self.host.start("file_put", path=str(target), size=100000, sha256=sha256(bytes(100000)))
        self.host.raw(wire.data(identity, "content", 0, bytes(50000), frames=True))
        self.wait_for(self.partials)
        self.process.terminate()
        self.assertEqual(self.process.wait(30), 0)
        self.assertFalse(target.exists())

    def test_the_same_transfer_twice_at_a_time(self) -> None:
        params = {"path": str(self.area / "file"), "size": 1, "sha256": sha256(b"x")}
        first = self.host.start("file_put", **params)
        self.wait_for(self.partials)
        self.refused(wire.BUSY, "file_put", **params)
        self.host.feed(first, "content", b"x")
        self.host.answer(first)

    def test_ping_overtakes_a_transfer(self) -> None:
        (self.area / "big").write_bytes(bytes(8 * 1024 * 1024))
        identity = self.host.start("file_get", path=str(self.area / "big"))
        self.host.notify("credit", of=identity, stream="content", limit=8 * 1024 * 1024)
        self.host.next()
        ping = self.host.start("ping")
        pieces = 0
        while self.host.next().message.get("id") != ping:
            pieces += 1
        self.assertLess(pieces, 30, "of 128 that were under way")


class Handling(unittest.TestCase):
    def test_all_requests_take_no_more_at_once_than_one_alone(self) -> None:
        changed, session = threading.Condition(), Session(True, "tests")
        with tempfile.TemporaryFile() as file:
            file.write(bytes(wire.WINDOW))
            file.flush()
            for number in range(1, 9):
                job = Job(f"s/{number}", session, changed, Outbox(changed, lambda: None), Policy(), 60)
                session.jobs[job.identity] = job
                job.accept("content")
                with changed:
                    for offset in range(0, wire.WINDOW, wire.MAX_PAYLOAD):
                        job.deliver({"stream": "content", "offset": offset}, bytes(wire.MAX_PAYLOAD))
                pieces = max(1, 4 // number)
                self.assertEqual(len(job.receive("content")[0]), pieces)
                self.assertEqual(len(Download(job, file.fileno(), 0)._read(0)), pieces)

    def test_a_checksum_that_fails_ends_its_transfer(self) -> None:
        broken = mock.Mock()
        failed: List[MemoryError] = []
        broken.update.side_effect = MemoryError

        def transfer() -> None:
            with Digest(broken) as digest:
                for _time in range(3):
                    digest.update([bytes(256 * 1024 + 1)])
                try:
                    digest.hexdigest()
                except MemoryError as error:
                    failed.append(error)

        worker = threading.Thread(target=transfer, daemon=True)
        worker.start()
        worker.join(PATIENCE)
        self.assertEqual(len(failed), 1)


class Pieces(FileCase):
    def test_read_and_write(self) -> None:
        path = str(self.area / "file")
        text = base64.b64encode(b"hello world").decode("ascii")
        self.refused(wire.NOT_FOUND, "file_write", path=path, data=text)
        self.assertEqual(self.host.call("file_write", path=path, data=text, create=True), {"size": 11})
        found = self.host.call("file_read", path=path, offset=6, size=3)
        self.assertEqual((decoded(found["data"]), found["eof"]), (b"wor", False))
        self.host.call("file_write", path=path, data="WFla", offset=2, truncate=True)
        found = self.host.call("file_read", path=path)
        self.assertEqual((decoded(found["data"]), found["eof"]), (b"heXYZ", True))

    def test_stat_list_mkdir_remove(self) -> None:
        name = str(self.area / "folder")
        self.host.call("file_mkdir", path=name, mode=0o2750)
        self.assertEqual(self.host.call("file_stat", path=name)["mode"], 0o2750)
        self.refused(wire.EXISTS, "file_mkdir", path=name)
        for index in range(25):
            (self.area / "folder" / f"{index:02}").write_bytes(b"x" * index)
        first = self.host.call("file_list", path=name, limit=20)
        rest = self.host.call("file_list", path=name, after=first["entries"][-1]["name"])
        self.assertEqual((len(first["entries"]), first["more"], rest["more"]), (20, True, False))
        self.assertEqual([entry["size"] for entry in first["entries"] + rest["entries"]], list(range(25)))
        self.refused(wire.SYSTEM_ERROR, "file_remove", path=name)
        for entry in first["entries"] + rest["entries"]:
            self.host.call("file_remove", path=name + "/" + entry["name"])
        self.host.call("file_remove", path=name)
        self.assertFalse(os.path.exists(name))

    def test_names_that_are_no_text(self) -> None:
        raw = os.fsencode(str(self.area)) + b"/\xff\xfe\xc3\xa4"
        with open(raw, "wb") as handle:
            handle.write(b"x")
        (entry,) = self.host.call("file_list", path=str(self.area))["entries"]
        path = str(self.area) + "/" + entry["name"]
        self.assertEqual(self.host.call("file_stat", path=path, sha256=True)["sha256"], sha256(b"x"))

    def test_a_long_listing_fits_into_lines(self) -> None:
        for index in range(900):
            (self.area / (f"{index:03}" + "n" * 200)).touch()
        after, found = "", 0
        while True:
            answer = self.host.call("file_list", path=str(self.area), after=after)
            found += len(answer["entries"])
            if not answer["more"]:
                break
            after = answer["entries"][-1]["name"]
        self.assertEqual(found, 900)


class Attacks(FileCase):
    """Whatever users of the guest have put in the way, nothing outside the folder is read or changed."""

    def refuse_all(self, path: str, *codes: int) -> None:
        content = base64.b64encode(b"x").decode("ascii")
        calls: Tuple[Tuple[str, Dict[str, Any]], ...] = (
            ("file_read", {}),
            ("file_get", {}),
            ("file_write", {"data": content, "create": True}),
            ("file_put", {"size": 0, "sha256": sha256(b"")}),
            ("file_list", {}),
        )
        for method, params in calls:
            with self.assertRaises(RemoteError) as raised:
                identity = self.host.start(method, path=path, **params)
                if method == "file_put":
                    self.host.feed(identity, "content", b"")
                self.host.answer(identity, {})
            self.assertIn(raised.exception.code, codes, f"{method} {path}: {raised.exception}")
        self.assertEqual((self.folder / "secret").read_bytes(), b"secret")

    def test_paths_that_lead_out(self) -> None:
        (self.area / "sub").mkdir()
        secret = str(self.folder / "secret")
        area = str(self.area)
        for path in (secret, area + "/../secret", area + "/sub/../../secret", "/etc/passwd", "relative", ""):
            self.refuse_all(path, wire.DENIED)
        self.refuse_all(area + "-other/file", wire.DENIED)

    def test_links(self) -> None:
        (self.area / "link").symlink_to(self.folder / "secret")
        (self.area / "out").symlink_to(self.folder)
        (self.area / "self").symlink_to("/proc/self/root")
        not_there = (wire.WRONG_TYPE, wire.SYSTEM_ERROR)
        self.refuse_all(str(self.area / "link"), *not_there)
        self.refuse_all(str(self.area / "out/secret"), *not_there)
        self.refuse_all(str(self.area / "self/etc/passwd"), *not_there)
        found = self.host.call("file_stat", path=str(self.area / "link"))
        self.assertEqual((found["type"], found["target"]), ("link", str(self.folder / "secret")))

    def test_what_is_no_regular_file(self) -> None:
        os.mkfifo(str(self.area / "fifo"))
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(self.area / "socket"))
        for name in ("fifo", "socket"):
            self.refuse_all(str(self.area / name), wire.WRONG_TYPE)

    @unittest.skipIf(os.geteuid() != 0, "only root can make devices")
    def test_devices(self) -> None:
        os.mknod(str(self.area / "device"), stat.S_IFCHR | 0o666, os.makedev(1, 5))
        self.refuse_all(str(self.area / "device"), wire.WRONG_TYPE)

    def test_a_hard_link_in_place_of_the_temporary_file(self) -> None:
        key = hashlib.sha256(b"file\0" + sha256(b"x").encode("ascii")).hexdigest()[:32]
        os.link(str(self.folder / "secret"), str(self.area / (f".kvmmanager-{key}.part")))
        identity = self.host.start("file_put", path=str(self.area / "file"), size=1, sha256=sha256(b"x"))
        self.host.feed(identity, "content", b"x")
        with self.assertRaises(RemoteError) as raised:
            self.host.answer(identity)
        self.assertEqual(raised.exception.code, wire.WRONG_TYPE)
        self.assertEqual((self.folder / "secret").read_bytes(), b"secret")

    def test_folder_that_becomes_a_link_and_back(self) -> None:
        (self.folder / "real").mkdir()
        (self.folder / "real" / "secret").write_bytes(b"outside")
        inside, aside = self.area / "sub", self.area / "aside"
        inside.mkdir()
        (inside / "secret").write_bytes(b"inside")
        stop = threading.Event()
        swapper = threading.Thread(target=self.swap, args=(inside, aside, stop))
        swapper.start()
        try:
            for _count in range(100):
                content = self.read_or_none(inside / "secret")
                self.assertIn(content, (None, b"inside"))
        finally:
            stop.set()
            swapper.join()

    def swap(self, inside: pathlib.Path, aside: pathlib.Path, stop: threading.Event) -> None:
        while not stop.is_set():
            inside.rename(aside)
            inside.symlink_to(self.folder / "real")
            inside.unlink()
            aside.rename(inside)

    def read_or_none(self, path: pathlib.Path) -> Optional[bytes]:
        try:
            return decoded(self.host.call("file_read", path=str(path))["data"])
        except RemoteError:
            return None


class WithoutOpenat2(unittest.TestCase):
    """Old kernels walk; both ways must refuse the same."""

    def test_walking_refuses_links(self) -> None:
        with paths.Roots(["/"], "read").folder("/proc") as folder:
            for opener in (paths.open_below, paths.walk):
                os.close(opener(folder, [b"sys", b"kernel", b"ostype"], os.O_RDONLY))
                for parts in ([b"self", b"status"], [b"1", b"root", b"etc"], [b"self"]):
                    with self.assertRaises(OSError):
                        os.close(opener(folder, parts, os.O_RDONLY))
