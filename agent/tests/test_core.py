# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the agent tells about the machine, and what it costs while nobody asks."""

import os
import socket
import time
import unittest

from kvmmanager_agent.linux import disks, network, power, system, text
from kvmmanager_agent.wire import WireError

from .host import AgentCase

MEMORY_LIMIT = 25 * 1024 * 1024


class Facts(AgentCase):
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
        found = self.host.call("get_network_info")
        (loopback,) = [link for link in found["interfaces"] if link["name"] == "lo"]
        self.assertEqual(loopback["mac"], "00:00:00:00:00:00")
        names = {name for _index, name in socket.if_nameindex()}
        self.assertEqual({link["name"] for link in found["interfaces"]}, names)
        if loopback["up"]:
            self.assertIn(
                {"address": "127.0.0.1", "family": "ipv4", "prefix": 8, "scope": "host"}, loopback["addresses"]
            )

    def test_disks(self) -> None:
        self.host.hello()
        for found in self.host.call("get_disk_usage")["filesystems"]:
            usage = os.statvfs(found["mount"])
            self.assertEqual(found["size"], usage.f_blocks * usage.f_frsize)


class Idle(AgentCase):
    def test_memory_and_wake_ups(self) -> None:
        self.host.hello()
        self.host.call("get_system_info")
        time.sleep(0.2)
        before = self.switches()
        time.sleep(1)
        self.assertEqual(self.switches(), before)
        self.assertLess(self.resident(), MEMORY_LIMIT)

    def test_memory_after_work(self) -> None:
        self.host.hello(frames=True)
        for _time in range(3):
            streams: dict = {}
            self.host.answer(self.host.start("exec", argv=["head", "-c", "9000000", "/dev/zero"]), streams)
            self.assertEqual(len(streams["stdout"]), 9000000)
        self.assertLess(self.resident(), MEMORY_LIMIT)

    def status(self, name: str) -> int:
        return int(text.assignments(text.read(f"/proc/{self.process.pid}/status").replace(":", "="))[name].split()[0])

    def switches(self) -> int:
        """How often the agent has run."""
        return self.status("voluntary_ctxt_switches") + self.status("nonvoluntary_ctxt_switches")

    def resident(self) -> int:
        return self.status("VmRSS") * 1024


class Details(unittest.TestCase):
    def test_os_release(self) -> None:
        self.assertEqual(text.assignments('A="x y"\n# B=1\nC=d\n'), {"A": "x y", "C": "d"})
        self.assertEqual(system.os_info()["family"], "linux")
        self.assertEqual(text.read("/no/such/file", "none"), "none")

    def test_escaped_mount_points(self) -> None:
        self.assertEqual(disks.unescaped("/a\\040b\\134c"), "/a b\\c")

    def test_addresses_agree_with_the_socket_library(self) -> None:
        links = network.network_info()["interfaces"]
        self.assertEqual(len(links), len(socket.if_nameindex()))

    def test_power_without_a_program(self) -> None:
        with self.assertRaises(WireError):
            power.order((("no-such-program",),))

    def test_power_runs_the_first_that_exists(self) -> None:
        power.order((("no-such-program",), ("true",)))
        with self.assertRaises(WireError):
            power.order((("false",),))
