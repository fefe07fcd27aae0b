# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the agent tells about the machine, and what it costs while nobody asks."""

import os
import pathlib
import socket
import struct
import tempfile
import time
import unittest
from typing import Any, Dict, List

from kvmmanager_agent.linux import logins, metrics, mounts, network, power, processes, system, text
from kvmmanager_agent.wire import WireError

from .host import AgentCase, RemoteError

MEMORY_LIMIT = 25 * 1024 * 1024


class Facts(AgentCase):
    server = "tests.serve"
    config = {"profile": "monitor"}

    def test_system(self) -> None:
        self.host.hello()
        found = self.host.call("get_system_info")
        self.assertEqual(found["hostname"], socket.gethostname())
        self.assertAlmostEqual(found["time"], time.time(), delta=60)
        self.assertEqual(len(found["boot_id"]), 36)
        self.assertGreater(found["memory"], 2**24)
        self.assertGreater(found["uptime"], 0)

    def test_network(self) -> None:
        self.host.hello()
        found = self.call_until_links_agree("get_network_info")
        (loopback,) = [link for link in found["interfaces"] if link["name"] == "lo"]
        self.assertEqual(loopback["mac"], "00:00:00:00:00:00")
        if loopback["up"]:
            self.assertIn(
                {"address": "127.0.0.1", "family": "ipv4", "prefix": 8, "scope": "host"}, loopback["addresses"]
            )

    def test_disks(self) -> None:
        self.host.hello()
        filesystems = self.host.call("get_disk_usage")["filesystems"]
        self.assertEqual(bool(filesystems), bool(list(mounts.local())))
        for found in filesystems:
            usage = os.statvfs(found["mount"])
            self.assertEqual(found["size"], usage.f_blocks * usage.f_frsize)

    def test_metrics(self) -> None:
        self.host.hello()
        found = self.call_until_links_agree("get_metrics")
        self.assertGreater(found["cpu"]["idle"] + found["cpu"]["user"], 0)
        self.assertGreater(found["memory"]["total"], found["memory"]["available"])

    def call_until_links_agree(self, method: str) -> Dict[str, Any]:
        """The answer that has this machine's interfaces; other programs may just be making some."""
        found: Dict[str, Any] = {}

        def agrees() -> bool:
            found.update(self.host.call(method))
            return {link["name"] for link in found["interfaces"]} == {name for _index, name in socket.if_nameindex()}

        self.wait_for(agrees)
        return found

    def test_processes(self) -> None:
        self.host.hello()
        pids: List[int] = []
        more = True
        while more:
            answer = self.host.call("get_processes", after=pids[-1] if pids else 0, limit=20)
            self.assertLessEqual(len(answer["processes"]), 20)
            for process in answer["processes"]:
                pids.append(process["pid"])
                if process["pid"] == self.process.pid:
                    self.assertIn("tests.serve", process["command"])
                    self.assertEqual((process["parent"], process["uid"]), (os.getpid(), os.geteuid()))
                    self.assertGreater(process["resident"], 2**20)
            more = answer["more"]
        self.assertEqual(pids, sorted(set(pids)))
        self.assertIn(self.process.pid, pids)

    def test_sessions(self) -> None:
        self.host.hello()
        self.assertIsInstance(self.host.call("get_sessions")["sessions"], list)


class Idle(AgentCase):
    server = "tests.serve"

    def test_memory_and_wake_ups(self) -> None:
        self.host.hello()
        self.host.call("get_system_info")
        self.wait_for(self.rests)
        self.assertLess(self.resident(), MEMORY_LIMIT)

    def test_memory_after_work(self) -> None:
        self.host.hello(frames=True)
        for _time in range(3):
            streams: dict = {}
            self.host.answer(self.host.start("exec", argv=["head", "-c", "9000000", "/dev/zero"]), streams)
            self.assertEqual(len(streams["stdout"]), 9000000)
        self.assertLess(self.resident(), MEMORY_LIMIT)

    def test_one_thread_waits_for_the_next_request(self) -> None:
        self.host.hello()
        running = [self.host.start("exec_command", argv=["sleep", "60"]) for _number in range(3)]
        self.wait_for(lambda: len(self.threads()) == 4)
        for identity in running:
            self.host.notify("cancel", of=identity)
            with self.assertRaises(RemoteError):
                self.host.answer(identity)
        self.wait_for(lambda: len(self.threads()) == 2)
        before = self.threads()
        for _time in range(5):
            self.host.call("get_system_info")
        self.assertEqual(self.threads(), before)

    def rests(self) -> bool:
        """Whether it did not run at all for a second. What happened before need not have ended on a slow machine."""
        before = self.switches()
        time.sleep(1)
        return self.switches() == before

    def threads(self) -> List[str]:
        return os.listdir(f"/proc/{self.process.pid}/task")

    def status(self, thread: str, name: str) -> int:
        path = f"/proc/{self.process.pid}/task/{thread}/status"
        return int(text.assignments(text.read(path).replace(":", "="))[name].split()[0])

    def switches(self) -> int:
        """How often the agent has run."""
        names = ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")
        return sum(self.status(thread, name) for thread in self.threads() for name in names)

    def resident(self) -> int:
        return self.status(str(self.process.pid), "VmRSS") * 1024


class Details(unittest.TestCase):
    def test_os_release(self) -> None:
        self.assertEqual(text.assignments('A="x y"\n# B=1\nC=d\n'), {"A": "x y", "C": "d"})
        self.assertEqual(system.os_info()["family"], "linux")
        self.assertEqual(text.read("/no/such/file", "none"), "none")

    def test_disk_counters_leave_out_partitions_and_the_unused(self) -> None:
        stats = (
            "254 0 vda 10 1 80 5 20 2 160 9 0 1 1\n"
            "254 1 vda1 10 1 80 5 20 2 160 9 0 1 1\n"
            "7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\n"
        )
        expected = [{"name": "vda", "reads": 10, "read_bytes": 40960, "writes": 20, "written_bytes": 81920}]
        self.assertEqual(metrics.disk_counters(stats, ["vda", "loop0"]), expected)

    def test_a_process_that_is_gone(self) -> None:
        self.assertIsNone(processes.process(2**22 + 1))

    def test_sessions_of_logind(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            session = "UID=1000\nUSER=ann\nTTY=pts/0\nREMOTE_HOST=192.0.2.1\nREALTIME=1700000000123456\nSTATE=active\n"
            for name, kind in (
                ("1", "user"),
                ("2", "manager"),
                ("3.ref", "user"),
                ("4", "user-early"),
                ("5", "greeter"),
            ):
                pathlib.Path(folder, name).write_text(f"{session}CLASS={kind}\n")
            for name, kind in (
                ("6", "user-light"),
                ("c7", "user-early-light"),
                ("8", "manager-early"),
                ("9", "lock-screen"),
            ):
                pathlib.Path(folder, name).write_text(f"{session}CLASS={kind}\n")
            expected = {"user": "ann", "terminal": "pts/0", "from": "192.0.2.1", "since": 1700000000}
            self.assertEqual(logins.sessions(folder), [expected] * 4)

    def test_sessions_of_utmp(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            record = struct.Struct("=hxxi32s4s32s256shhiii16s20s")
            self.assertEqual(record.size, 384)
            path = pathlib.Path(folder, "utmp")
            entries = (
                record.pack(kind, 5, b"tty1", b"1", b"ann", b"", 0, 0, 1, 1700000000, 2, b"", b"") for kind in (2, 7, 8)
            )
            path.write_bytes(b"".join(entries) + b"half")
            expected = {"user": "ann", "terminal": "tty1", "from": "", "since": 1700000000}
            self.assertEqual(logins.sessions("/no/such", ("/no/such", str(path))), [expected])
            self.assertEqual(logins.sessions("/no/such", ("/no/such",)), [])

    def test_escaped_mount_points(self) -> None:
        self.assertEqual(mounts.unescaped("/a\\040b\\134c"), "/a b\\c")

    def test_addresses_agree_with_the_socket_library(self) -> None:
        links: List[Any] = []
        before, after = None, socket.if_nameindex()
        while before != after:  # other programs may just be making some
            before, links = after, network.network_info()["interfaces"]
            after = socket.if_nameindex()
        self.assertEqual({link["name"] for link in links}, {name for _index, name in after})

    def test_power_without_a_program(self) -> None:
        with self.assertRaises(WireError):
            power.order((("no-such-program",),))

    def test_power_runs_the_first_that_exists(self) -> None:
        power.order((("no-such-program",), ("true",)))
        with self.assertRaises(WireError):
            power.order((("false",),))
