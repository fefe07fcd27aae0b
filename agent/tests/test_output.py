# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Output of commands that the host takes slowly, or for a while not at all: all of it comes in the end."""

import threading
import time
import unittest
from typing import Any, Dict, List, Optional

from kvmmanager_agent import execution, wire
from kvmmanager_agent.execution import Command, Execution
from kvmmanager_agent.jobs import Job
from kvmmanager_agent.outbox import Outbox
from kvmmanager_agent.policy import Policy

from .host import AgentCase

PIECE = 40000
LINGER = 1.5  # seconds, in the place of one: enough for what shall come within it on a busy machine


class Fickle:
    """A sink that takes one piece at a time: whoever is served first takes the room of the other stream."""

    has_stdin = False

    def __init__(self) -> None:
        self.output = {"stdout": b"", "stderr": b""}
        self.ended: Dict[str, int] = {"stdout": 0, "stderr": 0}
        self.wake: Any = None
        self._used = 0
        self._timer: Optional[threading.Timer] = None

    def room(self, _stream: str) -> int:
        return max(0, 1000 - self._used)

    def take(self, stream: str, payload: bytes) -> None:
        self.output[stream] += payload
        self.ended[stream] += not payload
        self._used += len(payload)
        self._timer = threading.Timer(0.002, self.free)
        self._timer.start()

    def free(self) -> None:
        self._used = 0
        self.wake()

    def give(self) -> None:
        return None


class RoomThatGoes(unittest.TestCase):
    def test_no_room_after_the_wait_is_not_the_end_of_a_stream(self) -> None:
        sink = Fickle()
        outbox: Any = None
        job = Job("s/1", None, threading.Condition(), outbox, Policy(), 60)
        sink.wake = job.poke
        script = f"head -c {PIECE} /dev/zero >&2 & head -c {PIECE} /dev/zero; wait"
        found = Execution(job, Command("/bin/sh", ["sh", "-c", script], "/", {}, None), sink).run()
        self.assertEqual(
            {name: len(output) for name, output in sink.output.items()}, {"stdout": PIECE, "stderr": PIECE}
        )
        self.assertEqual((found["exit"], found["stdout_bytes"], found["stderr_bytes"]), (0, PIECE, PIECE))
        self.assertEqual(sink.ended, {"stdout": 1, "stderr": 1})


class Writing(unittest.TestCase):
    def test_small_pieces_are_written_together_and_large_ones_as_they_are(self) -> None:
        outbox = Outbox(threading.Condition(), lambda: None)
        written: List[List[bytes]] = []

        def write(memory: List[memoryview]) -> int:
            written.append([bytes(piece) for piece in memory])
            return sum(map(len, memory))

        small, large = (wire.data_parts("s/1", "stdout", 0, bytes(size)) for size in (10, wire.MAX_PAYLOAD))
        outbox.put(b"answer")
        for parts in (small, small, large):
            outbox.put_bulk(*parts)
        outbox.flush(write)
        self.assertEqual(written, [[b"answer" + b"".join(small) * 2], list(large)])

    def test_what_is_filled_as_fast_as_it_is_written_does_not_keep_the_event_loop(self) -> None:
        wakes: List[int] = []
        writes: List[int] = []
        outbox = Outbox(threading.Condition(), lambda: wakes.append(len(writes)))

        def write(memory: List[memoryview]) -> int:
            writes.append(sum(map(len, memory)))
            self.assertLess(sum(writes), 10 * wire.WINDOW)
            outbox.put_bulk(bytes(wire.MAX_PAYLOAD))
            return writes[-1]

        outbox.put_bulk(b"first")
        for _time in range(3):
            self.assertTrue(outbox.flush(write))
            self.assertEqual(wakes[-1], len(writes), "the rest is written in another turn")


class SlowHosts(AgentCase):
    def serve(self, handle: int, config: str) -> int:
        execution._LINGER = LINGER
        return super().serve(handle, config)

    def setUp(self) -> None:
        super().setUp()
        self.host.hello(frames=True)

    def shell(self, script: str) -> str:
        return self.host.start("exec", argv=["sh", "-c", script])

    def test_a_command_that_floods_both_streams(self) -> None:
        size = 2000000
        identity = self.shell(f"head -c {size} /dev/zero >&2 & head -c {size} /dev/zero; wait")
        streams: Dict[str, bytes] = {"stdout": b"", "stderr": b""}
        while min(map(len, streams.values())) < size:
            incoming = self.host.next()
            self.assertEqual(incoming.message.get("method"), "data", "the answer comes after the output")
            self.host.collect(incoming.message["params"], incoming.payload or b"", streams)
            # So that the agent has more than it can send.
            time.sleep(0.001)
        found = self.host.answer(identity, streams)
        self.assertEqual({name: len(output) for name, output in streams.items()}, dict.fromkeys(streams, size))
        self.assertEqual((found["stdout_bytes"], found["stderr_bytes"]), (size, size))
        self.assertEqual((found["stdout_truncated"], found["stderr_truncated"]), (False, False))

    def test_credit_that_comes_long_after_the_command_ended(self) -> None:
        size = wire.WINDOW + 50000
        # What it leaves running holds the output open, and writes soon after.
        running = [
            self.shell(f"head -c {size} /dev/zero"),
            self.shell(f"head -c {size} /dev/zero; (sleep 0.1; echo last; sleep 20) &"),
        ]
        got = dict.fromkeys(running, 0)
        while min(got.values()) < wire.WINDOW:
            incoming = self.host.next()
            got[incoming.message["params"]["of"]] += len(incoming.payload or b"")
        self.assertEqual(execution._LINGER, 1, "as PROTOCOL.md says")
        time.sleep(3 * LINGER)
        self.host.call("ping")
        for identity, more in zip(running, (0, 5)):
            self.host.notify("credit", of=identity, stream="stdout", limit=2 * wire.WINDOW)
            streams: Dict[str, bytes] = {}
            found = self.host.answer(identity, streams)
            self.assertEqual((found["exit"], found["stdout_bytes"], found["stdout_truncated"]), (0, size + more, False))
            self.assertEqual(len(streams["stdout"]), size - wire.WINDOW + more)

    def test_a_command_that_waits_for_credit_can_be_cancelled_after_its_end(self) -> None:
        identity = self.shell(f"head -c {wire.WINDOW + 1000} /dev/zero")
        got = 0
        while got < wire.WINDOW:
            got += len(self.host.next().payload or b"")
        time.sleep(1.5 * LINGER)
        before = self.ticks()
        time.sleep(0.3)
        self.assertLess(self.ticks() - before, 10, "it waits without turning")
        self.host.notify("cancel", of=identity)
        with self.assertRaisesRegex(Exception, "cancelled"):
            self.host.answer(identity, {})

    def ticks(self) -> int:
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as handle:
            words = handle.read().rpartition(")")[2].split()
        return int(words[11]) + int(words[12])
