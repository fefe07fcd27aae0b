# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Python interpreter that is kept ready, for programs that would otherwise wait for Python to start.

It is a process of its own (`linux.warm_python`), started when the first program asks for it.
"""

import array
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import threading
from typing import IO, Dict, List, NamedTuple, Optional

from . import names

_PATIENCE = 20.0  # seconds that it may take to start and to copy itself
# Not imported here: it loads much that the agent does without. What `ps` shows of it says what it is. Before Python 3.8
# a module in a zip file has no `__package__` yet.
_PACKAGE = __name__.rpartition(".")[0]
_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_START = f"import sys; sys.path.insert(0, {_HOME!a}); from {_PACKAGE}.linux.warm_python import main; main()"
_TRIES = 2  # the first may meet one that is about to end


class Copied:
    """A program in a copy of the interpreter, with what `subprocess.Popen` shows of a process.

    :param status: the socket on which the interpreter says how it ended; readable when it has.
    """

    def __init__(self, pid: int, status: socket.socket, ends: List[int]) -> None:
        self.pid = pid
        self.stdin, self.stdout, self.stderr = map(_pipe, ends, ("wb", "rb", "rb"))
        self.returncode: Optional[int] = None
        self._status = status

    def fileno(self) -> int:
        """What becomes readable when the program ends."""
        return self._status.fileno()

    def poll(self) -> Optional[int]:
        """How it ended, or None."""
        return self._look(0)

    def wait(self) -> None:
        """Wait for its end."""
        self._look(-1)

    def close(self) -> None:
        """Let its number be another process's; nothing may be sent to it any more."""
        self._status.close()

    def _look(self, patience: float) -> Optional[int]:
        if self.returncode is None and _is_readable(self._status, patience):
            self.returncode = _said(self._status, b"end")
            if self.returncode is None:
                # The interpreter was killed, and nobody looks after the program.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, signal.SIGKILL)
                self.returncode = -signal.SIGKILL
        return self.returncode


class Program(NamedTuple):
    """What is to be kept ready.

    :ivar path: an interpreter.
    :ivar name: what it is called by, from which Python derives where its modules are.
    """

    path: str
    name: str
    env: Dict[str, str]


class Interpreter(NamedTuple):
    """One that runs, and our end of its socket."""

    program: Program
    process: "subprocess.Popen[bytes]"
    control: socket.socket


class Pythons:
    """The one interpreter of the agent that is kept ready: that of the last program."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: Optional[Interpreter] = None
        self._processes: List[subprocess.Popen[bytes]] = []  # it, and those before it that have not ended

    def start(self, program: Program, cwd: str, keep: int) -> Optional[Copied]:
        """Run what will come from stdin; None when nothing has run and the usual way has to do.

        :param keep: for how many seconds the interpreter is kept ready afterwards.
        """
        request = json.dumps({"cwd": cwd, "keep": keep}).encode("ascii")
        for _try in range(_TRIES):
            with contextlib.ExitStack() as ours:
                copied = self._copy(program, request, ours)
                if copied is not None:
                    ours.pop_all()
                    return copied
        return None

    def reap(self) -> None:
        """Leave no zombie behind when one has ended. Called when a child of the agent ends, in the main thread."""
        for process in list(self._processes):
            if process.poll() is not None:
                with contextlib.suppress(ValueError):  # another thread was faster
                    self._processes.remove(process)

    def _copy(self, program: Program, request: bytes, ours: contextlib.ExitStack) -> Optional[Copied]:
        ends, handed = [], []
        with contextlib.ExitStack() as theirs:
            for mine in (1, 0, 0):  # it writes to the program's stdin and reads the two others
                pipe = os.pipe()
                ours.callback(os.close, pipe[mine])
                theirs.callback(os.close, pipe[1 - mine])
                ends.append(pipe[mine])
                handed.append(pipe[1 - mine])
            status, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.callback(status.close)
            theirs.callback(other.close)
            with self._lock:
                asked = self._ask(program, request, [*handed, other.fileno()])
        if asked is None:
            return None
        hangs = not _is_readable(status, _PATIENCE)
        pid = None if hangs else _said(status, b"pid")
        if pid is None:
            self._give_up(asked, hangs)
            return None
        return Copied(pid, status, ends)

    def _ask(self, program: Program, request: bytes, handles: List[int]) -> Optional[Interpreter]:
        """Send a request to the interpreter, which is started when it is not there."""
        if self._kept is None or self._kept.program != program:
            self._begin(program)
        if self._kept is None:
            return None
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", handles))]
        try:
            self._kept.control.sendmsg([request], ancillary)
        except OSError:
            self._end()
            return None
        return self._kept

    def _begin(self, program: Program) -> None:
        self._end()
        if _is_script(program.path):
            return  # what Python it starts, and with what environment, may be another one each time
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                process = subprocess.Popen(
                    [names.encode(program.name), b"-c", _START.encode("ascii")],
                    executable=names.encode(program.path),
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=theirs.fileno(),
                    cwd="/",
                    env={names.encode(name): names.encode(value) for name, value in program.env.items()},
                    start_new_session=True,
                )
            except OSError:
                ours.close()
                return
        self._processes.append(process)
        self._kept = Interpreter(program, process, ours)

    def _give_up(self, asked: Interpreter, hangs: bool) -> None:
        """Take no program to an interpreter again that did not begin one; what it was asked for is never begun."""
        if hangs:
            asked.process.kill()
        with self._lock:
            if self._kept is asked:
                self._end()

    def _end(self) -> None:
        """Forget the interpreter. It ends by itself, after the programs that it looks after."""
        if self._kept is not None:
            self._kept.control.close()
        self._kept = None
        self.reap()


def _is_script(path: str) -> bool:
    with contextlib.suppress(OSError), open(names.encode(path), "rb") as program:
        return program.read(2) == b"#!"
    return False


def _pipe(handle: int, mode: str) -> IO[bytes]:
    return open(handle, mode, 0)


def _is_readable(status: socket.socket, seconds: float) -> bool:
    poller = select.poll()
    poller.register(status, select.POLLIN)
    return bool(poller.poll(seconds * 1000 if seconds >= 0 else None))


def _said(status: socket.socket, what: bytes) -> Optional[int]:
    """The number that the interpreter, or a copy of it, has said; None when it is gone, or has said something else."""
    words: List[bytes] = []
    with contextlib.suppress(ConnectionError):
        words = status.recv(64).split()
    return int(words[1]) if words[:1] == [what] else None


PYTHONS = Pythons()
