# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An agent that gets rubbish: it answers afterwards, does nothing that was not allowed, and does not grow."""

import os
import random
from typing import Any, Dict

from kvmmanager_agent import wire
from kvmmanager_agent.linux import text

from .host import AgentCase

LINES = int(os.environ.get("KVMMANAGER_FUZZ_LINES", "10000"))
_TOKENS = (
    [b'{"jsonrpc":"2.0",', b'"id":', b'"method":', b'"params":{', b'"of":', b'"stream":', b'"offset":', b'"data":']
    + [b'"size":', b'"crc":', b'"limit":', b'"eof":true', b'"expires":', b'"path":"/', b'"argv":["', b'"hello"']
    + [b'"cancel"', b'"credit"', b'"exec"', b'"file_put"', b'"file_write"', b'"stdin"', b"null", b"1e999", b"-1"]
    + [b"}", b"]", b"[", b'"', b",", b"\\ud800", b"\xff", b"\xc3", b"\n", b"65536", b"9" * 50, b"\0"]
)

_METHODS = ("exec", "exec_command", "file_write", "file_put", "file_get", "file_remove", "cancel", "credit", "x")


class Rubbish(AgentCase):
    server = "tests.serve"
    config = {"profile": "files", "methods": {"allow": ["exec"]}, "programs": [], "paths": {"read": [], "write": []}}

    def test_lines(self) -> None:
        seed = random.SystemRandom().randrange(2**32)
        chance = random.Random(seed)
        self.canary = self.folder / "canary"
        self.canary.mkdir()
        (self.canary / "file").write_bytes(b"as it was")
        untouched = self.around()
        self.host.hello()
        self.rubbish(chance, 5000)
        before = self.resident()
        self.rubbish(chance, LINES)
        self.host.hello()
        self.host.call("ping")
        self.assertLess(self.resident() - before, 4 * 1024 * 1024, f"seed {seed}")
        self.assertNotIn(": ok", self.log().replace(" ping: ok", ""), f"seed {seed}")
        self.assertEqual(self.around(), untouched, f"seed {seed}")

    def around(self) -> Dict[str, Any]:
        """What the rubbish could have changed: the lines name a file in this folder, and /tmp/x."""
        found: Dict[str, Any] = {"/tmp/x": os.path.exists("/tmp/x"), "names": sorted(os.listdir(str(self.folder)))}
        for path in (self.canary, self.canary / "file"):
            facts = path.stat()
            found[path.name] = (facts.st_mode, facts.st_uid, facts.st_mtime_ns, facts.st_ino)
        found["content"] = (self.canary / "file").read_bytes()
        return found

    def rubbish(self, chance: random.Random, least: int) -> None:
        """Send so many lines, in sessions that are real."""
        lines = 0
        while lines < least:
            self.host.hello(frames=chance.random() < 0.5)
            for _time in range(50):
                batch = b"".join(self.line(chance) + b"\n" for _line in range(20))
                lines += batch.count(b"\n")
                self.host.raw(batch)
                self.drain()

    def line(self, chance: random.Random) -> bytes:
        """A line that is nearly a message, or none at all."""
        kind = chance.random()
        if kind < 0.2:
            return bytes(chance.randrange(256) for _byte in range(chance.randrange(60)))
        if kind < 0.5:
            return b"".join(chance.choice(_TOKENS) for _token in range(chance.randrange(1, 25)))
        self.host.number += 1
        identity = wire.request_id(self.host.session, chance.choice((self.host.number, 1, 10**6)))
        method = chance.choice(_METHODS)
        params = self.host.params(
            of=identity,
            path=chance.choice((str(self.canary / "file"), "/etc/passwd", "/tmp/x", "..", "\udcff", "/" * 4000, 5)),
            argv=chance.choice((["true"], ["touch", str(self.canary / "made")], [], "true", [None])),
            data=chance.choice(("QUJD", "!", 5, None)),
        )
        for name in chance.sample(sorted(params), chance.randrange(len(params))):
            del params[name]
        whole = bytearray(wire.request(identity, method, params).rstrip(b"\n"))
        for _change in range(chance.choice((0, 0, 1, 5))):
            whole[chance.randrange(len(whole))] = chance.randrange(256)
        return bytes(whole)

    def drain(self) -> None:
        """Read what the agent says, without waiting."""
        self.host.channel.settimeout(0)
        try:
            while True:
                self.host.channel.recv(256 * 1024)
        except BlockingIOError:
            self.host.channel.settimeout(30)

    def resident(self) -> int:
        status = text.read(f"/proc/{self.process.pid}/status")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024
