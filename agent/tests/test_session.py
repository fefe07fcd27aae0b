# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may call, and when: the handshake, ids, and what is too late."""

import io
import os
import re
import socket
import time
import unittest
from typing import Any, List, Optional

from kvmmanager_agent import wire
from kvmmanager_agent.__main__ import METHOD_MODULES
from kvmmanager_agent.agent import Agent
from kvmmanager_agent.audit import Audit
from kvmmanager_agent.policy import Policy

from .host import AgentCase, RemoteError
from .played import fill


class Handshake(AgentCase):
    def test_hello_tells_what_the_agent_is(self) -> None:
        found = self.host.hello()
        self.assertEqual(found["version"], 1)
        self.assertEqual(found["profile"], "full")
        self.assertIn("exec", found["methods"])
        self.assertEqual(found["limits"]["line"], wire.MAX_LINE)
        self.assertEqual(found["os"]["family"], "linux")
        self.assertIn("clock", self.host.call("ping"))

    def test_no_common_version(self) -> None:
        with self.assertRaises(RemoteError) as raised:
            self.host.hello(versions=[99, 100])
        self.assertEqual(raised.exception.code, wire.NO_COMMON_VERSION)
        self.assertEqual(raised.exception.data, {"versions": [1]})
        self.assertEqual(self.host.hello(versions=[1, 99])["version"], 1)

    def test_a_bad_hello_does_not_end_a_session(self) -> None:
        self.host.hello()
        self.host.raw(wire.request("short", "hello", {"versions": [1]}))
        with self.assertRaises(RemoteError):
            self.host.answer("short")
        self.host.call("ping")

    def test_without_hello_nothing_is_called(self) -> None:
        self.host.session = "0123456789abcdef"
        self.refused(wire.NO_SESSION, "ping")

    def test_ids_only_grow(self) -> None:
        self.host.hello()
        self.host.call("ping")
        self.host.number -= 1
        self.refused(wire.INVALID_REQUEST, "ping")

    def test_unknown_methods_and_parameters(self) -> None:
        self.host.hello()
        self.refused(wire.METHOD_NOT_FOUND, "no_such_method")
        self.refused(wire.INVALID_PARAMS, "ping", colour="red")
        self.refused(wire.INVALID_PARAMS, "exec_command")
        self.refused(wire.INVALID_PARAMS, "exec_command", argv="true")
        self.refused(wire.INVALID_PARAMS, "exec_command", argv=["a\0b"])
        self.refused(wire.INVALID_PARAMS, "exec_command", argv=["true"], timeout=-1)


class Stale(AgentCase):
    """A request of a host that is gone is never executed."""

    def touch(self, name: str) -> dict:
        return self.host.params(argv=["/usr/bin/touch", str(self.folder / name)])

    def assert_not_done(self) -> None:
        self.host.hello()
        self.host.call("exec_command", argv=["true"])
        self.assertFalse((self.folder / "stale").exists())

    def test_request_of_an_earlier_session(self) -> None:
        self.host.hello()
        line = wire.request(wire.request_id(self.host.session, 5), "exec_command", self.touch("stale"))
        self.host.hello()
        self.host.raw(line)
        self.assert_not_done()

    def test_half_a_request_is_completed_by_nobody(self) -> None:
        for part in (0.01, 0.5, 0.99):
            self.host.hello()
            line = wire.request(wire.request_id(self.host.session, 5), "exec_command", self.touch("stale"))
            self.host.raw(line[: int(len(line) * part)] + b"\n")
            self.assertFalse(self.host.call("exec_command", argv=["true"])["exit"])
            self.assert_not_done()

    def test_request_after_its_time(self) -> None:
        self.host.hello()
        self.refused(wire.EXPIRED, "exec_command", expires=self.host.clock + time.monotonic() - 1, argv=["true"])
        self.refused(
            wire.INVALID_PARAMS, "exec_command", expires=self.host.clock + time.monotonic() + 1e6, argv=["true"]
        )
        self.refused(wire.INVALID_PARAMS, "ping", expires=None)

    def test_request_that_a_hello_follows_at_once(self) -> None:
        """What lies in the port when the agent comes to read it, as after a pause of the guest."""
        self.host.hello()
        self.pause()
        request = wire.request(wire.request_id(self.host.session, 1), "exec_command", self.touch("stale"))
        hello = wire.RESET * 10 + b"\n" + wire.request("another-nonce-01", "hello", {"versions": [1]})
        self.host.raw(request + hello)
        self.go_on()
        self.host.answer("another-nonce-01")
        self.assert_not_done()

    def test_request_whose_host_vanished_at_once(self) -> None:
        self.host.hello()
        self.pause()
        self.host.raw(wire.request(wire.request_id(self.host.session, 1), "exec_command", self.touch("stale")))
        self.host.vanish()
        self.go_on()
        self.assert_not_done()

    def test_session_ends_with_its_host(self) -> None:
        self.host.hello()
        session = self.host.session
        self.host.vanish()
        self.host.session = session
        self.refused(wire.NO_SESSION, "ping")

    def test_host_vanishes_at_any_byte(self) -> None:
        self.host.hello()
        line = wire.request(wire.request_id("%s", 1), "ping", self.host.params())
        for cut in range(0, len(line), 7):
            self.host.hello()
            self.host.raw(line.replace(b"%s", self.host.session.encode())[:cut])
            self.host.vanish()
        self.host.hello()
        self.host.call("ping")

    def test_frame_that_is_cut_swallows_no_later_message(self) -> None:
        self.host.hello(frames=True)
        identity = self.host.start("exec", argv=["cat"], stdin=True)
        whole = wire.data(identity, "stdin", 0, os.urandom(60000), frames=True)
        for cut in (len(whole) - 60000, len(whole) - 59999, len(whole) - 1):
            self.host.raw(whole[:cut])
            self.host.hello(frames=True)
            self.host.call("ping")


class ClosedStream(AgentCase):
    """A host that closes a stream socket: the other way in which a port shows that nobody is there."""

    kind = socket.SOCK_STREAM

    def test_its_last_request_is_not_executed_and_nothing_spins(self) -> None:
        self.host.hello()
        self.pause()
        target = self.folder / "stale"
        self.host.start("exec_command", argv=["/usr/bin/touch", str(target)])
        self.host.channel.close()
        self.go_on()
        self.wait_for(lambda: "closed the port" in self.log())
        self.wait_for(self.rests)
        self.assertFalse(target.exists())

    def rests(self) -> bool:
        """Whether it did nothing for a while. One that spins never does, however slow the machine is."""
        before = self.cpu_time()
        time.sleep(0.3)
        return self.cpu_time() - before <= 0.03

    def cpu_time(self) -> float:
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as handle:
            words = handle.read().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class ScriptedPort:
    """A port whose host sends requests, never reads an answer, and goes."""

    def __init__(self) -> None:
        self.incoming: List[bytes] = []
        self.present = True
        self.reads = 0

    def read(self, space: List[memoryview]) -> Optional[int]:
        self.reads += 1
        return fill(space, self.incoming) if self.incoming else None if self.present else 0

    def write(self, _data: List[memoryview]) -> int:
        return 0

    def host_is_there(self) -> bool:
        return self.present


class Overtaken(unittest.TestCase):
    """Data that comes before the word that a host is there, as Linux's driver can deliver it."""

    def setUp(self) -> None:
        self.port = ScriptedPort()
        self.written = b""
        self.log = io.StringIO()
        port: Any = self.port
        port.write = self.write
        self.agent = Agent(port, Policy(), Audit(self.log), lambda: None)
        self.addCleanup(self.agent.close)
        self.addCleanup(self.agent._finish)
        self.hello = wire.PREAMBLE + wire.request("n" * 16, "hello", {"versions": [1]})

    def write(self, data: List[memoryview]) -> int:
        self.written += b"".join(data)
        return sum(map(len, data))

    def turn(self, present: bool, *pieces: bytes) -> None:
        self.port.present = present
        self.port.incoming = list(pieces)
        self.agent._turn()

    def test_a_hello_is_answered_when_its_host_is_seen(self) -> None:
        self.turn(False, self.hello)
        self.turn(False)
        self.assertEqual(self.written, b"")
        self.turn(True)
        self.assertIn(b'"id":"nnnn', self.written)
        self.turn(True)
        self.assertEqual(self.log.getvalue().count("begins"), 1)

    def test_a_hello_that_is_half_there_is_completed(self) -> None:
        for cut in (70000, len(self.hello) - 1):
            self.written = b""
            hello = self.hello[:65538] + b" " * 5000 + self.hello[65538:]
            self.turn(False, hello[:cut])
            self.turn(True, hello[cut:])
            self.assertIn(b'"id":"nnnn', self.written)

    def test_nothing_else_is_kept(self) -> None:
        self.turn(True, self.hello)
        (session,) = re.findall("session ([0-9a-f]{16}) begins", self.log.getvalue())
        ping = wire.request(wire.request_id(session, 1), "ping", {"expires": time.monotonic() + 60})
        self.turn(False, ping, self.hello, ping)
        self.turn(True)
        self.assertNotIn("ping", self.log.getvalue())
        self.assertEqual(self.log.getvalue().count("begins"), 2)


class NobodyReads(unittest.TestCase):
    def test_answers_are_bounded_and_forgotten_with_their_host(self) -> None:
        self.assertTrue(METHOD_MODULES)
        port: Any = ScriptedPort()
        log = io.StringIO()
        agent = Agent(port, Policy(), Audit(log), lambda: None)
        port.incoming = [wire.request("n" * 16, "hello", {"versions": [1]})]
        agent._turn()
        (session,) = re.findall("session ([0-9a-f]{16}) begins", log.getvalue())
        expires = {"expires": time.monotonic() + 60}
        for number in range(1, 2000):
            port.incoming.append(wire.request(wire.request_id(session, number), "get_agent_info", expires))
            agent._turn()
        waiting = len(port.incoming)
        self.assertGreater(waiting, 500, "requests stay in the port while nobody reads the answers")
        reads = port.reads
        agent._turn()
        self.assertEqual(port.reads, reads)
        port.present = False
        port.incoming = []
        agent._turn()
        self.assertIn("closed the port", log.getvalue())
        self.assertGreater(port.reads, reads)
        agent._finish()
        agent.close()
