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
from typing import IO, Dict, List, Optional

from . import names

_PATIENCE = 20.0  # seconds that it may take to start and to copy itself
# Not imported here: it loads much that the agent does without. What `ps` shows of it says what it is.
_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_START = f"import sys; sys.path.insert(0, {_HOME!a}); from {__package__}.linux.warm_python import main; main()"
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


class Pythons:
    """The one interpreter of the agent that is kept ready: that of the last program."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._path = ""
        self._control: Optional[socket.socket] = None
        self._processes: List[subprocess.Popen[bytes]] = []  # it, and those before it that have not ended

    def start(self, path: str, cwd: str, env: Dict[str, str], keep: int) -> Optional[Copied]:
        """Run the program that will come from stdin; None when nothing has run and the usual way has to do.

        :param path: an interpreter, which is kept ready for ``keep`` seconds afterwards.
        """
        request = json.dumps({"cwd": cwd, "env": env, "keep": keep}).encode("ascii")
        for _try in range(_TRIES):
            with contextlib.ExitStack() as ours:
                copied = self._copy(path, env, request, ours)
                if copied is not None:
                    ours.pop_all()
                    return copied
        return None

    def reap(self) -> None:
        """Leave no zombie behind when it has ended. Called when a child of the agent ends, in the main thread."""
        self._processes = [process for process in self._processes if process.poll() is None]

    def _copy(self, path: str, env: Dict[str, str], request: bytes, ours: contextlib.ExitStack) -> Optional[Copied]:
        with contextlib.ExitStack() as theirs:
            pipes = [os.pipe() for _stream in range(3)]
            ends = [pipes[0][1], pipes[1][0], pipes[2][0]]
            handed = [pipes[0][0], pipes[1][1], pipes[2][1]]
            for handle in ends:
                ours.callback(os.close, handle)
            for handle in handed:
                theirs.callback(os.close, handle)
            status, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.callback(status.close)
            theirs.callback(other.close)
            with self._lock:
                if not self._ask(path, env, request, [*handed, other.fileno()]):
                    return None
        hangs = not _is_readable(status, _PATIENCE)
        pid = None if hangs else _said(status, b"pid")
        if pid is None:
            self._give_up(hangs)
            return None
        return Copied(pid, status, ends)

    def _ask(self, path: str, env: Dict[str, str], request: bytes, handles: List[int]) -> bool:
        """Send a request to the interpreter, which is started when it is not there."""
        if self._control is None or self._path != path:
            self._begin(path, env)
        if self._control is None:
            return False
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", handles))]
        try:
            self._control.sendmsg([request], ancillary)
        except OSError:
            self._end()
            return False
        return True

    def _begin(self, path: str, env: Dict[str, str]) -> None:
        self._end()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                process = subprocess.Popen(
                    [names.encode(path), b"-c", _START.encode("ascii")],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env={names.encode(name): names.encode(value) for name, value in env.items()},
                    start_new_session=True,
                )
            except OSError:
                ours.close()
                return
        self._processes.append(process)
        self._path, self._control = path, ours

    def _give_up(self, hangs: bool) -> None:
        """Take no program to an interpreter again that did not begin one; what it was asked for is never begun."""
        with self._lock:
            if hangs and self._processes:
                self._processes[-1].kill()
            self._end()

    def _end(self) -> None:
        """Forget the interpreter. It ends by itself, after the programs that it looks after."""
        if self._control is not None:
            self._control.close()
        self._control = None
        self.reap()


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
