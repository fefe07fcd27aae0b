# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong in the middle of something. ``run_tests.py --faults`` does each of it many times."""

import hashlib
import os
import random
import signal
from typing import Any, Dict

from kvmmanager_agent import wire
from kvmmanager_agent.linux import text

from .host import PATIENCE, AgentCase, decoded
from .test_exec import children

MANY = "KVMMANAGER_FAULTS" in os.environ
MEMORY_LIMIT = 25 * 1024 * 1024
MEGABYTE = 1024 * 1024


class Faults(AgentCase):
    def setUp(self) -> None:
        super().setUp()
        self.host.hello(frames=True)

    def resident(self) -> int:
        status = text.read(f"/proc/{self.process.pid}/status")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def partials(self) -> int:
        return len([name for name in os.listdir(str(self.folder)) if name.endswith(".part")])

    def start_put(self, content: bytes) -> str:
        path = str(self.folder / "file")
        checksum = hashlib.sha256(content).hexdigest()
        return self.host.start("file_put", path=path, size=len(content), sha256=checksum, resume=True)

    def put(self, content: bytes) -> int:
        """Put the file, or the rest of it; how many bytes that was."""
        identity = self.start_put(content)
        credit = self.host.credit(identity)
        self.host.feed(identity, "content", content, credit["from"], credit["limit"])
        return int(self.host.answer(identity)["received"])


class HostThatVanishes(Faults):
    def test_upload_at_random_bytes(self) -> None:
        times = 100 if MANY else 8
        chance = random.Random(random.SystemRandom().randrange(2**32))
        content = os.urandom(4 * MEGABYTE)
        sent = 0
        for _time in range(times):
            frames = chance.random() < 0.7
            self.host.hello(frames=frames)
            identity = self.start_put(content)
            begin = self.host.credit(identity)["from"]
            self.assertEqual(begin, sent, "all that came whole is kept, and nothing else")
            stream = b""
            ends = []
            for _piece in range(chance.randrange(1, 4)):
                piece = content[begin : begin + chance.randrange(1, 20000)]
                stream += wire.data(identity, "content", begin, piece, frames=frames)
                begin += len(piece)
                ends.append((len(stream), begin))
            cut = chance.randrange(len(stream) + 1)
            self.host.raw(stream[:cut])
            self.host.vanish()
            sent = max([sent] + [offset for end, offset in ends if end <= cut])
        self.host.hello(frames=True)
        self.put(content)
        self.assertEqual((self.folder / "file").read_bytes(), content)
        self.assertEqual(self.partials(), 0)

    def test_download_at_random_bytes(self) -> None:
        times = 100 if MANY else 8
        chance = random.Random(random.SystemRandom().randrange(2**32))
        content = os.urandom((12 if MANY else 3) * MEGABYTE)
        (self.folder / "file").write_bytes(content)
        whole = b""
        for _time in range(times):
            self.host.hello(frames=chance.random() < 0.7)
            identity = self.host.start("file_get", path=str(self.folder / "file"), offset=len(whole))
            left = chance.randrange(200000)
            while left:
                # The rest of what came with it is as lost as what was still under way.
                received = self.host.channel.recv(256 * 1024)[:left]
                left -= len(received)
                for incoming in self.host.decoder.feed(received):
                    self.assertEqual(incoming.message["params"]["of"], identity)
                    if len(whole) < len(content) - MEGABYTE:
                        whole += incoming.payload or b""
            self.host.vanish()
        self.assertTrue(content.startswith(whole))
        self.host.hello(frames=True)
        streams: Dict[str, bytes] = {}
        identity = self.host.start("file_get", path=str(self.folder / "file"), offset=len(whole))
        found = self.host.answer(identity, streams)
        self.assertEqual(found["sha256"], hashlib.sha256(whole + streams["content"]).hexdigest())


class AgentThatEnds(Faults):
    def end(self) -> None:
        if self.process.poll() is None:
            super().end()

    def again(self) -> None:
        """Start the agent again, as systemd does."""
        self.start()
        self.host.hello(frames=True)

    def test_killed_or_stopped_in_mid_transfer(self) -> None:
        content = os.urandom(MEGABYTE)
        for number in (signal.SIGKILL, signal.SIGTERM):
            identity = self.start_put(content)
            begin = self.host.credit(identity)["from"]
            self.host.raw(wire.data(identity, "content", begin, content[begin : begin + 50000], frames=True))
            size = begin + 50000
            self.wait_for(lambda size=size: [p.stat().st_size for p in self.folder.glob(".kv*.part")] == [size])
            self.process.send_signal(number)
            self.assertEqual(self.process.wait(PATIENCE), -number if number == signal.SIGKILL else 0)
            self.assertFalse((self.folder / "file").exists())
            self.again()
        self.assertEqual(self.put(content), MEGABYTE - 100000)
        self.assertEqual((self.folder / "file").read_bytes(), content)

    def test_killed_in_mid_command(self) -> None:
        mark = self.folder / "mark"
        identity = self.host.start("exec", argv=["sh", "-c", f"echo begun; read x; touch {mark}"], stdin=True)
        self.assertEqual(self.host.next().payload, b"begun\n")
        self.process.kill()
        self.process.wait(PATIENCE)
        self.again()
        # Its input has ended with the agent. The next agent knows neither the session nor the request.
        self.wait_for(mark.exists)
        self.refused(wire.NOT_FOUND, "exec_signal", of=identity, signal="TERM")
        self.host.call("exec_command", argv=["true"])

    def test_port_that_vanishes(self) -> None:
        self.host.start("exec", argv=["sh", "-c", "while :; do echo x; sleep 0.01; done"])
        self.host.next()
        (command,) = children(self.process.pid)
        self.host.channel.close()
        self.assertEqual(self.process.wait(PATIENCE), 3)
        self.assertIn("the port is gone", self.log())
        self.wait_for(lambda: not os.path.exists(f"/proc/{command}"))


class Uploads(Faults):
    """As many at a time as there may be, each with all that it may have sent."""

    server = "tests.serve"

    def peak(self) -> int:
        status = text.read(f"/proc/{self.process.pid}/status")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def test_files(self) -> None:
        content = os.urandom(4 * MEGABYTE)
        checksum = hashlib.sha256(content).hexdigest()
        running: Dict[str, int] = {}
        for number in range(8):
            path = str(self.folder / str(number))
            running[self.host.start("file_put", path=path, size=len(content), sha256=checksum)] = 0
        for begin in range(0, len(content), wire.MAX_PAYLOAD):
            for identity in list(running):
                while running[identity] + wire.WINDOW < begin + wire.MAX_PAYLOAD:
                    message = self.host.next().message
                    running[message["params"]["of"]] = message["params"]["limit"] - wire.WINDOW
                piece = content[begin : begin + wire.MAX_PAYLOAD]
                self.host.raw(wire.data(identity, "content", begin, piece, frames=True))
        for identity in running:
            self.host.raw(wire.data(identity, "content", len(content), b"", eof=True, frames=True))
        for _identity in running:
            message = self.host.next().message
            while "method" in message:
                message = self.host.next().message
            self.assertEqual(message["result"]["received"], len(content))
        self.assertLessEqual(self.peak(), MEMORY_LIMIT)

    def test_input_that_nobody_reads(self) -> None:
        piece = os.urandom(wire.MAX_PAYLOAD)
        running = [self.host.start("exec", argv=["sleep", "60"], stdin=True) for _number in range(8)]
        for begin in range(0, wire.WINDOW, wire.MAX_PAYLOAD):
            for identity in running:
                self.host.raw(wire.data(identity, "stdin", begin, piece, frames=True))
        self.host.call("ping")
        self.assertLessEqual(self.peak(), MEMORY_LIMIT)


class Much(Faults):
    server = "tests.serve"
    config: Dict[str, Any] = {"profile": "full", "limits": {"output": MEGABYTE}}

    def test_commands_leave_nothing(self) -> None:
        times = 10000 if MANY else 200
        for _time in range(100):
            self.host.call("exec_command", argv=["true"])
        before = self.descriptors(), self.resident()
        for _worker in range(4):
            self.host.start("exec_command", argv=["true"])
        for number in range(times):
            self.assertEqual(self.host.next().message["result"]["exit"], 0)
            if number < times - 4:
                self.host.start("exec_command", argv=["true"])
        self.assertLessEqual(self.descriptors(), before[0])
        self.assertEqual(children(self.process.pid), [])
        self.assertLess(self.resident() - before[1], MEGABYTE)

    def test_output_is_bounded(self) -> None:
        size = 1024 * MEGABYTE if MANY else 32 * MEGABYTE
        found = self.host.call("exec_command", argv=["head", "-c", str(size), "/dev/zero"])
        self.assertEqual((found["stdout_bytes"], len(decoded(found["stdout"]))), (size, 44 * 1024))
        streams: Dict[str, bytes] = {}
        found = self.host.answer(self.host.start("exec", argv=["head", "-c", str(size), "/dev/zero"]), streams)
        self.assertEqual((found["stdout_bytes"], len(streams["stdout"])), (size, MEGABYTE))
        self.assertLess(self.resident(), MEMORY_LIMIT)
