# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines that are chosen by what they reach in the agent: atheris, guided by coverage. ``guided.py FOLDER LINES``.

The whole agent is in this process but for the port: decoder, dispatch, and the workers of the methods. It may use one
folder, FOLDER/tree/area, and run no program. Ends with status 0 after so many lines, else with what went wrong.
"""

import importlib
import os
import re
import sys
import threading
import time
from typing import Any, Dict, List, Optional

from .played import fill

atheris: Any = importlib.import_module("atheris")

with atheris.instrument_imports(include=["kvmmanager_agent"]):
    from kvmmanager_agent import wire
    from kvmmanager_agent.__main__ import METHOD_MODULES
    from kvmmanager_agent.agent import Agent
    from kvmmanager_agent.audit import Audit
    from kvmmanager_agent.policy import Limits, Policy

assert METHOD_MODULES
_TOKEN = "0123456789abcdef"
_PATIENCE = 20  # seconds that the requests of one input may take to end
_SEEDS = (
    '"id":"@T/@N","method":"ping","params":{"expires":@E}',
    '"id":"@T/@N","method":"file_stat","params":{"expires":@E,"path":"@A/file","sha256":true}',
    '"id":"@T/@N","method":"file_list","params":{"expires":@E,"path":"@A","after":"a","limit":5}',
    '"id":"@T/@N","method":"file_read","params":{"expires":@E,"path":"@A/file","offset":1,"size":9}',
    '"id":"@T/@N","method":"file_write","params":{"expires":@E,"path":"@A/new","data":"QUJD","create":true}',
    '"id":"@T/@N","method":"file_mkdir","params":{"expires":@E,"path":"@A/folder","mode":448}',
    '"id":"@T/@N","method":"file_remove","params":{"expires":@E,"path":"@A/../file"}',
    '"id":"@T/5","method":"file_get","params":{"expires":@E,"path":"@A/file","offset":0,"timeout":1}',
    '"method":"credit","params":{"of":"@T/5","stream":"content","limit":2000000}',
    '"id":"@T/6","method":"file_put","params":{"expires":@E,"path":"@A/put","size":3,"mode":420,"resume":true,"sha256":'
    '"b5d4045c3f466fa91fe2cc6abe79232a1a57cdf104f7a26e716e0a1e2789df78"}',
    '"method":"data","params":{"of":"@T/6","stream":"content","offset":0,"data":"QUJD","eof":true}',
    '"method":"data","params":{"of":"@T/6","stream":"content","offset":0,"size":3,"crc":2743272264,"eof":true}',
    '"method":"cancel","params":{"of":"@T/6"}',
    '"id":"@T/@N","method":"exec","params":{"expires":@E,"argv":["/bin/touch","/tmp/x"],"stdin":true,"cwd":"/"}',
    '"id":"@T/@N","method":"exec_command","params":{"expires":@E,"argv":["touch","/tmp/x"],"env":{"A":"b"},"user":"root"}',
    '"id":"@T/@N","method":"exec_signal","params":{"expires":@E,"of":"@T/5","signal":"KILL"}',
    '"id":"@T/@N","method":"get_processes","params":{"expires":@E,"after":1,"limit":2}',
    '"id":"@T/@N","method":"shutdown","params":{"expires":@E}',
    '"id":"nonce-of-a-new-host","method":"hello","params":{"versions":[1,2],"frames":true,"client":"x"}',
    '"id":"@T/@N","result":{}',
)


class FuzzedPort:
    """A port whose host reads everything."""

    def __init__(self) -> None:
        self.incoming: List[bytes] = []
        self.written = bytearray()

    def read(self, space: List[memoryview]) -> Optional[int]:
        """The next piece, as large as a real port gives."""
        return fill(space, self.incoming) if self.incoming else None

    def write(self, data: List[memoryview]) -> int:
        """Take it all."""
        self.written += b"".join(data)
        return sum(map(len, data))

    def host_is_there(self) -> bool:
        """It never goes."""
        return True


class Target:
    """One agent that gets all the lines.

    :param tree: holds the folder that it may use, and what it must leave alone.
    """

    def __init__(self, tree: str, most: int) -> None:
        self.lines = self.inputs = 0
        self._tree = tree
        self._area = os.path.join(tree, "area")
        self._most = most
        self._number = 100
        self._port = FuzzedPort()
        allowed = frozenset(("exec", "exec_command", "exec_signal"))
        roots = (self._area,)
        limits = Limits(output=100000, file_size=100000, seconds=5)
        self._policy = Policy("files", allowed, frozenset(), roots, roots, frozenset(), limits)
        port: Any = self._port
        with open(os.devnull, "w", encoding="ascii") as log:
            self._log = os.fdopen(os.dup(log.fileno()), "w", encoding="ascii")
        self._agent = Agent(port, self._policy, Audit(self._log), lambda: None)
        self._before = self.outside()
        self._handles = len(os.listdir("/proc/self/fd"))
        sys.addaudithook(_forbid)

    def outside(self) -> Dict[str, Any]:
        """All that the agent must not change."""
        found: Dict[str, Any] = {"/tmp/x": os.path.exists("/tmp/x")}
        for where, folders, files in os.walk(self._tree):
            if where == self._tree:
                folders.remove("area")
            for name in files:
                path = os.path.join(where, name)
                with open(path, "rb") as handle:
                    found[path] = (handle.read(), os.stat(path).st_mode, os.stat(path).st_mtime_ns)
            found[where] = (sorted(folders + files), os.stat(where).st_mode)
        return found

    def one_input(self, data: bytes) -> None:
        """Let the agent have it, as one session's."""
        agent, port = self._agent, self._port
        session = agent._session
        if session is None or session.token != _TOKEN:
            port.incoming = [wire.PREAMBLE + wire.request("n" * 16, "hello", {"versions": [1], "frames": True})]
            agent._turn()
            session = agent._session
            assert session is not None
            session.token = _TOKEN
        session._last = 0
        self._number += 1
        expires = b"%.1f" % (time.monotonic() + 60)
        places = {b"@T": _TOKEN.encode(), b"@E": expires, b"@N": b"%d" % self._number, b"@A": self._area.encode()}
        filled = re.sub(rb"@[TENA]", lambda found: places[found.group()], data)
        port.incoming = [filled[begin : begin + 4096] for begin in range(0, len(filled), 4096)] + [b"\n"]
        while port.incoming:
            agent._turn()
        self._end()
        self.inputs += 1
        self.lines += filled.count(b"\n") + 1
        if self.inputs % 20000 == 0 or self.lines >= self._most:
            self._check()

    def _end(self) -> None:
        """End the requests that wait for more; a method that failed in an unforeseen way has said so."""
        agent = self._agent
        end = time.monotonic() + _PATIENCE
        with agent._changed:
            while agent._workers.count:
                for job in agent._workers._jobs:
                    job.end(wire.WireError(wire.CANCELLED, "the input is over"))
                agent._changed.wait(0.1)
                assert time.monotonic() < end, "a request does not end"
        agent._turn()
        while not agent._outbox.is_empty:
            agent._turn()
        assert len(agent._decoder._line) <= wire.MAX_LINE
        assert b'"code":-32603' not in self._port.written, bytes(self._port.written[-2000:])
        self._port.written.clear()

    def _check(self) -> None:
        assert self.outside() == self._before, "something outside was changed"
        assert threading.active_count() <= 2
        assert len(os.listdir("/proc/self/fd")) <= self._handles + 2
        if self.lines >= self._most:
            print(f"{self.lines} lines in {self.inputs} inputs", flush=True)
            os._exit(0)


def _forbid(event: str, _words: Any) -> None:
    if event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "socket.connect"):
        os.write(2, f"the agent did {event}\n".encode())
        os._exit(1)


def main() -> None:
    """Fuzz until there were enough lines."""
    folder, most = sys.argv[1], int(sys.argv[2])
    found, seeds, words, tree = (os.path.join(folder, name) for name in ("found", "seeds", "words", "tree"))
    for name in (found, seeds, tree, os.path.join(tree, "area"), os.path.join(tree, "canary")):
        os.mkdir(name)
    for name in ("file", "area/file", "canary/file"):
        with open(os.path.join(tree, name), "w", encoding="ascii") as handle:
            handle.write("some text")
    lines = ['{"jsonrpc":"2.0",' + seed + "}" for seed in _SEEDS]
    # Each alone, each ten times, and all in turn.
    for number, text in enumerate([*lines, *("\n".join([line] * 10) for line in lines), "\n".join(lines)]):
        with open(os.path.join(seeds, str(number)), "w", encoding="ascii") as handle:
            handle.write(text + "\n")
    with open(words, "w", encoding="ascii") as handle:
        for word in sorted({word for line in lines for word in re.findall(r'"\w+"|@\w', line)}):
            escaped = word.replace('"', '\\"')
            handle.write(f'"{escaped}"\n')
    # What leads it out of the tree by a relative name leads here.
    os.chdir(os.path.join(tree, "canary"))
    options = ["-max_len=16384", "-len_control=0", f"-dict={words}", "-timeout=60", "-rss_limit_mb=0", "-verbosity=0"]
    arguments = [sys.argv[0], *options, f"-artifact_prefix={folder}/", found, seeds]
    atheris.Setup(arguments, Target(tree, most).one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
