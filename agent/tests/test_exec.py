# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands: their streams, their end, and that nothing of them stays."""

import base64
import contextlib
import hashlib
import os
import pathlib
import pwd
import random
import sys
import threading
import time
import unittest
from typing import Any, Dict, List, Tuple

from kvmmanager_agent import execution, wire
from kvmmanager_agent.jobs import Incoming, Job
from kvmmanager_agent.policy import Policy

from .host import AgentCase, RemoteError, decoded


def children(pid: int) -> List[int]:
    """The processes that a process has started, by whichever of its threads."""
    found: List[int] = []
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            found.extend(map(int, (task / "children").read_text().split()))
    return found


class ExecCommand(AgentCase):
    def serve(self, handle: int, config: str) -> int:
        execution._GRACE = 0.3
        return super().serve(handle, config)

    def setUp(self) -> None:
        super().setUp()
        self.host.hello()

    def run_command(self, *argv: str, **params: Any) -> Dict[str, Any]:
        return self.host.call("exec_command", argv=list(argv), **params)

    def test_output_and_status(self) -> None:
        found = self.run_command("sh", "-c", "echo out; echo err >&2; exit 3")
        self.assertEqual((decoded(found["stdout"]), decoded(found["stderr"]), found["exit"]), (b"out\n", b"err\n", 3))
        self.assertEqual((found["stdout_bytes"], found["stdout_truncated"]), (4, False))

    def test_input_environment_and_folder(self) -> None:
        stdin = base64.b64encode(b"in\xff").decode("ascii")
        found = self.run_command("sh", "-c", 'cat; echo "$X $HOME"; pwd', stdin=stdin, env={"X": "ü y"}, cwd="/usr")
        home = pwd.getpwuid(os.geteuid()).pw_dir
        self.assertEqual(decoded(found["stdout"]), (f"in\udcffü y {home}\n/usr\n").encode("utf-8", "surrogateescape"))

    def test_end_by_signal(self) -> None:
        found = self.run_command("sh", "-c", "kill -KILL $$")
        self.assertEqual(found["signal"], "KILL")
        self.assertNotIn("exit", found)

    def test_large_output_is_counted_and_cut(self) -> None:
        found = self.run_command("head", "-c", "3000000", "/dev/zero")
        self.assertEqual((found["exit"], found["stdout_bytes"], found["stdout_truncated"]), (0, 3000000, True))
        self.assertEqual(len(decoded(found["stdout"])), 44 * 1024)

    def test_time_limit_ends_all_that_was_started(self) -> None:
        mark = self.folder / "survived"
        self.assertEqual(execution._GRACE, 2, "as PROTOCOL.md says")
        script = f"(sleep 1.2; touch {mark}) & trap '' TERM; while :; do sleep 0.05; done"
        self.refused(wire.TIMED_OUT, "exec_command", argv=["sh", "-c", script], timeout=0.2)
        time.sleep(1)
        self.assertFalse(mark.exists())
        self.wait_for(lambda: not children(self.process.pid))

    def test_what_a_command_leaves_running_does_not_hold_it(self) -> None:
        begin = time.monotonic()
        found = self.run_command("sh", "-c", "sleep 20 & echo started")
        self.assertEqual(decoded(found["stdout"]), b"started\n")
        self.assertLess(time.monotonic() - begin, 15)

    def test_what_cannot_start(self) -> None:
        self.refused(wire.NOT_FOUND, "exec_command", argv=["no-such-program"])
        self.refused(wire.NOT_FOUND, "exec_command", argv=["/no/such/program"])
        self.refused(wire.SYSTEM_ERROR, "exec_command", argv=[str(self.config_path)])
        self.refused(wire.DENIED, "exec_command", argv=["./relative"])
        self.refused(wire.NOT_FOUND, "exec_command", argv=["true"], user="nobody-knows")
        with self.assertRaisesRegex(RemoteError, "^-32008 /no/such/\\udcff: No such file"):
            self.run_command("true", cwd="/no/such/\udcff")
        script = self.folder / "script"
        script.write_text("#!/no/such/shell\n", encoding="ascii")
        script.chmod(0o755)
        with self.assertRaisesRegex(RemoteError, f"{script}: No such file"):
            self.run_command(str(script))

    @unittest.skipIf(os.geteuid() != 0, "only root can become another user")
    def test_another_user(self) -> None:
        found = self.run_command("sh", "-c", 'id -un; id -Gn; echo "$USER"; pwd', user="nobody", cwd="/")
        self.assertEqual(decoded(found["stdout"]), b"nobody\nnogroup\nnobody\n/\n")

    def test_many_commands_leave_nothing(self) -> None:
        self.run_command("true")
        before = self.descriptors()
        for _count in range(100):
            self.run_command("true")
        self.assertLessEqual(self.descriptors(), before)
        self.assertEqual(children(self.process.pid), [])


class ExecStreamed(AgentCase):
    def setUp(self) -> None:
        super().setUp()
        self.host.hello(frames=True)

    def stream(self, script: str, **params: Any) -> Tuple[Dict[str, Any], Dict[str, bytes]]:
        streams: Dict[str, bytes] = {}
        identity = self.host.start("exec", argv=["sh", "-c", script], **params)
        return self.host.answer(identity, streams), streams

    def test_output_comes_before_the_answer(self) -> None:
        for frames in (True, False):
            self.host.hello(frames=frames)
            found, streams = self.stream("echo out; echo err >&2")
            self.assertEqual((found["exit"], streams), (0, {"stdout": b"out\n", "stderr": b"err\n"}))

    def test_output_comes_while_the_command_runs(self) -> None:
        identity = self.host.start("exec", argv=["sh", "-c", "echo one; read x; echo $x"], stdin=True)
        self.assertEqual(self.host.next().payload, b"one\n")
        self.host.feed(identity, "stdin", b"two\n")
        streams: Dict[str, bytes] = {}
        self.assertEqual(self.host.answer(identity, streams)["exit"], 0)
        self.assertEqual(streams["stdout"], b"two\n")

    def test_megabytes_through_both_ways(self) -> None:
        content = os.urandom(3 * 1024 * 1024)
        for frames in (True, False):
            self.host.hello(frames=frames)
            identity = self.host.start("exec", argv=["sha256sum"], stdin=True)
            self.host.feed(identity, "stdin", content)
            streams: Dict[str, bytes] = {}
            self.host.answer(identity, streams)
            self.assertEqual(streams["stdout"].split()[0].decode(), hashlib.sha256(content).hexdigest())
            found, streams = self.stream("head -c 3000000 /dev/zero")
            self.assertEqual((len(streams["stdout"]), found["stdout_truncated"]), (3000000, False))

    def test_no_credit_no_output(self) -> None:
        identity = self.host.start("exec", argv=["head", "-c", "5000000", "/dev/zero"])
        size = 0
        while size < wire.WINDOW:
            size += len(self.host.next().payload or b"")
        self.assertEqual(size, wire.WINDOW)
        # A ping is answered though the command waits, and nothing more of the command comes before.
        self.host.call("ping")
        self.host.notify("credit", of=identity, stream="stdout", limit=wire.WINDOW + 10)
        self.assertEqual(len(self.host.next().payload or b""), 10)

    def test_more_than_the_credit_ends_the_request(self) -> None:
        identity = self.host.start("exec", argv=["sleep", "60"], stdin=True)
        self.host.feed(identity, "stdin", bytes(wire.WINDOW + 1), limit=2 * wire.WINDOW)
        with self.assertRaises(RemoteError) as raised:
            self.host.answer(identity, {})
        self.assertEqual(raised.exception.code, wire.BAD_STREAM)

    def test_command_that_reads_no_input(self) -> None:
        identity = self.host.start("exec", argv=["sh", "-c", "exec <&-; sleep 0.2; echo done"], stdin=True)
        self.host.feed(identity, "stdin", bytes(500000))
        streams: Dict[str, bytes] = {}
        self.assertEqual(self.host.answer(identity, streams)["exit"], 0)
        self.assertEqual(streams["stdout"], b"done\n")

    def test_signal(self) -> None:
        script = "trap 'echo caught; exit 7' USR1; echo ready; while :; do sleep 0.02; done"
        identity = self.host.start("exec", argv=["sh", "-c", script])
        self.assertEqual(self.host.next().payload, b"ready\n")
        self.host.number += 1
        self.host.raw(
            wire.request(
                wire.request_id(self.host.session, self.host.number),
                "exec_signal",
                self.host.params(of=identity, signal="USR1"),
            )
        )
        streams: Dict[str, bytes] = {}
        self.assertEqual(self.host.answer(identity, streams)["exit"], 7)
        self.assertEqual(streams["stdout"], b"caught\n")
        self.refused(wire.NOT_FOUND, "exec_signal", of=identity, signal="TERM")
        self.refused(wire.INVALID_PARAMS, "exec_signal", of=identity, signal="_DFL")

    def test_cancel(self) -> None:
        identity = self.host.start("exec", argv=["sleep", "60"])
        self.host.notify("cancel", of=identity)
        with self.assertRaises(RemoteError) as raised:
            self.host.answer(identity)
        self.assertEqual(raised.exception.code, wire.CANCELLED)

    def test_host_that_vanishes_ends_its_commands(self) -> None:
        self.host.start("exec", argv=["sleep", "61"])
        self.wait_for(lambda: children(self.process.pid))
        self.host.vanish()
        self.wait_for(lambda: not children(self.process.pid))

    def test_termination_of_the_agent_ends_commands(self) -> None:
        self.host.start("exec", argv=["sleep", "62"])
        self.wait_for(lambda: children(self.process.pid))
        (child,) = children(self.process.pid)
        self.process.terminate()
        self.process.wait(30)
        self.wait_for(lambda: not os.path.exists(f"/proc/{child}"))

    def test_ping_beside_busy_commands(self) -> None:
        for _count in range(4):
            self.host.start("exec", argv=["sh", "-c", "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyy; done"])
        self.host.call("ping")


class Limited(AgentCase):
    config = {"profile": "full", "limits": {"concurrent": 2, "output": 100000, "seconds": 60}}

    def test_too_many_requests(self) -> None:
        self.host.hello()
        running = [self.host.start("exec", argv=["sleep", "60"]) for _count in range(2)]
        self.refused(wire.BUSY, "exec_command", argv=["true"])
        self.host.call("ping")
        for identity in running:
            self.host.notify("cancel", of=identity)
            with self.assertRaises(RemoteError):
                self.host.answer(identity)
        self.host.call("exec_command", argv=["true"])

    def test_endless_output_is_cut_and_counted(self) -> None:
        self.host.hello(frames=True)
        streams: Dict[str, bytes] = {}
        found = self.host.answer(self.host.start("exec", argv=["head", "-c", "4000000", "/dev/zero"]), streams)
        self.assertEqual((len(streams["stdout"]), found["stdout_bytes"]), (100000, 4000000))
        self.assertTrue(found["stdout_truncated"])

    def test_longer_time_than_allowed(self) -> None:
        self.host.hello()
        self.refused(wire.INVALID_PARAMS, "exec_command", argv=["true"], timeout=61)


class ProgramList(AgentCase):
    config = {"profile": "full", "programs": ["/bin/echo"]}

    def test_only_these_programs_run(self) -> None:
        self.host.hello()
        self.assertEqual(decoded(self.host.call("exec_command", argv=["echo", "hi"])["stdout"]), b"hi\n")
        self.refused(wire.DENIED, "exec_command", argv=["cat", "/etc/hostname"])
        self.refused(wire.DENIED, "exec", argv=["/no/such/folder/program", "word"])
        self.refused(wire.DENIED, "exec", argv=["./relative"])
        self.assertRegex(self.log(), r"exec_command cat: error -32005")
        self.assertIn("exec /no/such/folder/program: error -32005", self.log())
        self.assertIn("exec ./relative: error -32005", self.log())
        self.assertNotIn("word", self.log())
        self.refused(wire.DENIED, "exec_command", argv=["/bin/echo", "x"], env={"LD_PRELOAD": "/tmp/evil.so"})

    def test_links_to_and_from_allowed_programs(self) -> None:
        self.host.hello()
        link = self.folder / "echo"
        link.symlink_to("/bin/cat")
        self.refused(wire.DENIED, "exec_command", argv=[str(link)])


class Buffers(unittest.TestCase):
    def test_pieces_of_any_size_cost_what_they_hold(self) -> None:
        chance = random.Random(7)
        some = [chance.choice((1, 5000, 20000)) for _time in range(60)]
        for sizes in ([1] * 200000, [wire.MAX_PAYLOAD] * (wire.WINDOW // wire.MAX_PAYLOAD), some):
            incoming = Incoming()
            content = os.urandom(sum(sizes))
            position = 0
            for size in sizes:
                incoming.add(position, content[position : position + size], False)
                position += size
            incoming.add(position, b"", True)
            self.assertEqual(b"".join(incoming.pieces), content)
            self.assertLessEqual(max(map(len, incoming.pieces)), wire.MAX_PAYLOAD)
            self.assertLessEqual(sum(map(sys.getsizeof, incoming.pieces)), position * 1.2 + 1000)


class Poking(unittest.TestCase):
    def test_what_is_poked_is_not_taken_away_meanwhile(self) -> None:
        """Seen once: the event loop woke a command whose descriptors had just been closed."""
        changed = threading.Condition()
        outbox: Any = None
        job = Job("s/1", None, changed, outbox, Policy(), 60)
        with changed:
            changing = threading.Thread(target=job.on_change, args=(lambda: None,))
            changing.start()
            changing.join(0.2)
            self.assertTrue(changing.is_alive())
        changing.join(30)
        self.assertFalse(changing.is_alive())
