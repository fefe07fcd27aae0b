# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's end for tests, and agents to talk to.

A virtio-serial port is played by a pair of datagram sockets: a read gives what one write sent, and an empty datagram
reads like a port whose host has gone, after which another host may come.
"""

import base64
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import unittest
from typing import Any, Callable, Dict, List, Optional

from kvmmanager_agent import wire
from kvmmanager_agent.linux import text

from . import serve

HERE = pathlib.Path(__file__).parent
PATIENCE = 30.0  # seconds; a machine that is busy with other things is slow
FULL = {"profile": "full"}


class RemoteError(Exception):
    """The agent answered with an error."""

    def __init__(self, error: Dict[str, Any]) -> None:
        super().__init__(f"{error['code']} {error['message']}")
        self.code = error["code"]
        self.data = error.get("data")


class Host:
    """One host after another on the same port."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.channel.settimeout(PATIENCE)
        self.forget()
        self.hellos = 0

    def forget(self) -> None:
        """Be a new client that knows nothing."""
        self.decoder = wire.Decoder()
        self.messages: List[wire.Incoming] = []
        self.session = ""
        self.number = 0
        self.clock = 0.0
        self.frames = False

    def raw(self, data: bytes) -> None:
        """Send bytes in the pieces in which a port hands them on."""
        for begin in range(0, len(data), 4096):
            self.channel.send(data[begin : begin + 4096])

    def vanish(self) -> None:
        """Close the port, as the guest sees it, and forget the session."""
        self.channel.send(b"")
        self.forget()

    def hello(self, frames: bool = False, **params: Any) -> Dict[str, Any]:
        """Open a session."""
        self.forget()
        self.hellos += 1
        nonce = f"test-nonce-{self.hellos:08}"
        asked = {"versions": [1], "frames": frames, "client": "tests"}
        asked.update(params)
        self.raw(wire.PREAMBLE + wire.request(nonce, "hello", asked))
        # Until the answer comes, what looks like a frame can be the half of one that an earlier host did not take.
        result = self.answer(nonce)
        self.decoder.frames = True
        self.session, self.frames = result["session"], result["frames"]
        self.clock = result["clock"] - time.monotonic()
        return result

    def params(self, **params: Any) -> Dict[str, Any]:
        """The parameters that every request has, and more."""
        return dict({"expires": time.monotonic() + self.clock + PATIENCE}, **params)

    def start(self, method: str, **params: Any) -> str:
        """Send a request; its id."""
        self.number += 1
        identity = wire.request_id(self.session, self.number)
        self.raw(wire.request(identity, method, self.params(**params)))
        return identity

    def call(self, method: str, **params: Any) -> Dict[str, Any]:
        """Send a request and wait for its answer."""
        return self.answer(self.start(method, **params))

    def notify(self, method: str, **params: Any) -> None:
        """Send what gets no answer."""
        self.raw(wire.notification(method, params))

    def next(self) -> wire.Incoming:
        """The next message."""
        while not self.messages:
            received = self.channel.recv(256 * 1024)
            if not received:
                raise EOFError("the agent has closed the port")
            self.messages.extend(item for item in self.decoder.feed(received) if item.error is None)
        return self.messages.pop(0)

    def answer(self, identity: Optional[str], streams: Optional[Dict[str, bytes]] = None) -> Dict[str, Any]:
        """The answer to a request; what the agent pushes meanwhile is collected in ``streams``, with credit."""
        while True:
            incoming = self.next()
            message = incoming.message
            if message.get("method") == "data" and streams is not None and message["params"]["of"] == identity:
                self.collect(message["params"], incoming.payload or b"", streams)
            elif "method" not in message and message.get("id") == identity:
                if "error" in message:
                    raise RemoteError(message["error"])
                return dict(message["result"])

    def collect(self, params: Dict[str, Any], payload: wire.Payload, streams: Dict[str, bytes]) -> None:
        """Take a piece of a stream and give new credit for all of it."""
        stream = params["stream"]
        streams[stream] = streams.get(stream, b"") + payload
        limit = params["offset"] + len(payload) + wire.WINDOW
        self.notify("credit", of=params["of"], stream=stream, limit=limit)

    def feed(self, identity: str, stream: str, content: bytes, begin: int = 0, limit: int = wire.WINDOW) -> None:
        """Send a stream from ``begin`` on, waiting for credit where it needs it."""
        position = begin
        while True:
            size = min(wire.MAX_PAYLOAD, len(content) - position, limit - position)
            if not size and position < len(content):
                limit = self.credit(identity)["limit"]
                continue
            piece = content[position : position + size]
            position += size
            last = position == len(content)
            self.raw(wire.data(identity, stream, position - size, piece, last, self.frames))
            if last:
                return

    def credit(self, identity: str) -> Dict[str, Any]:
        """The next credit for a request; its answer, should that come first, is the error it must be."""
        while True:
            message = self.next().message
            if message.get("method") == "credit" and message["params"]["of"] == identity:
                return dict(message["params"])
            if message.get("id") == identity:
                raise RemoteError(message["error"])


class Forked:
    """What tests need of `subprocess.Popen`, for a process that is a fork of this one.

    :param main: what it does; gives its status.
    :param kept: the descriptor that it keeps, besides the log as its stderr.
    """

    def __init__(self, main: Callable[[], int], kept: int, log: int) -> None:
        self.returncode: Optional[int] = None
        self.pid = os.fork()
        if not self.pid:
            status = 1
            try:
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(log, 2)
                os.closerange(3, kept)
                os.closerange(kept + 1, 4096)
                # Not what unittest keeps until the end of the test.
                sys.stderr = sys.__stderr__
                status = main()
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)

    def poll(self) -> Optional[int]:
        """How it ended, as Popen says it; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        return self.returncode

    def wait(self, seconds: float) -> int:
        """Wait for its end, and no longer than that."""
        end = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f"the agent did not end within {seconds} seconds")
            time.sleep(0.003)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


class AgentCase(unittest.TestCase):
    """A test with an agent in a process of its own, and a folder that goes with the test.

    :cvar server: a module that is the agent in a new interpreter, as users have it: where its memory or name counts.
        Without it the agent is a fork of the test, which begins at once.
    """

    config: Dict[str, Any] = FULL
    kind = socket.SOCK_DGRAM
    server = ""

    def setUp(self) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="agent-")
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name).resolve()
        self.config_path = self.folder / "agent.json"
        self.configure(self.configuration())
        self.log_path = self.folder / "log"
        self.start()

    def start(self) -> None:
        """Start the agent, with a host that has not said anything."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, self.kind)
        self.addCleanup(ours.close)
        self.process: Any
        with theirs, self.log_path.open("ab") as log:
            handle, config = theirs.fileno(), str(self.config_path)
            if self.server:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", self.server, str(handle), config],
                    cwd=str(HERE.parent),
                    pass_fds=[handle],
                    stderr=log,
                    stdin=subprocess.DEVNULL,
                )
            else:
                self.process = Forked(lambda: self.serve(handle, config), handle, log.fileno())
        self.addCleanup(self.end)
        self.host = Host(ours)

    def serve(self, handle: int, config: str) -> int:
        """What an agent that is a fork does; a test may first change something there."""
        return serve.run(handle, config)

    def configuration(self) -> Dict[str, Any]:
        """What the agent begins with."""
        return self.config

    def configure(self, config: Dict[str, Any]) -> None:
        """Write the configuration."""
        self.config_path.write_text(json.dumps(config), encoding="utf-8")

    def end(self) -> None:
        """Stop the agent; it must not have crashed."""
        self.process.terminate()
        self.assertIn(self.process.wait(PATIENCE), (0, 3), self.log())
        self.assertNotIn("Traceback", self.log())

    def pause(self) -> None:
        """Stop the agent where it is, as when the guest is paused, until `go_on`."""
        self.process.send_signal(signal.SIGSTOP)
        self.wait_for(lambda: text.read(f"/proc/{self.process.pid}/stat").rpartition(")")[2].split()[0] == "T")

    def go_on(self) -> None:
        """Let it run again."""
        self.process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        """What the agent has logged."""
        return self.log_path.read_text(encoding="utf-8")

    def refused(self, code: int, method: str, **params: Any) -> None:
        """Check that a call ends with an error."""
        with self.assertRaises(RemoteError) as raised:
            self.host.call(method, **params)
        self.assertEqual(raised.exception.code, code, str(raised.exception))

    def descriptors(self) -> int:
        """How many descriptors the agent has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def wait_for(self, question: Any) -> None:
        """Wait until ``question()`` is true."""
        end = time.monotonic() + PATIENCE
        while not question():
            self.assertLess(time.monotonic(), end, "it never came true")
            time.sleep(0.01)


def decoded(text: str) -> bytes:
    """The bytes of base64."""
    return base64.b64decode(text)
