# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One command and its three streams, from its start to its end."""

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import termios
import time
from typing import Any, Dict, List, NamedTuple, Optional, Union

from . import names, wire
from .pythons import PYTHONS, Copied, Program
from .waker import Waker

_LINGER = 1.0  # seconds that output may still come after the command ended, from what it left running
_GRACE = 2.0  # seconds between SIGTERM and SIGKILL
_STREAMS = ("stdout", "stderr")

Process = Union["subprocess.Popen[bytes]", Copied]


class Command(NamedTuple):
    """What to run.

    :ivar path: the program, absolute.
    :ivar account: whom to run as, with popen_options(); None for the agent's own user.
    :ivar warm: run it as a copy of an interpreter that is kept ready for so many seconds; 0 starts it as usual.
    """

    path: str
    argv: List[str]
    cwd: str
    env: Dict[str, str]
    account: Any
    warm: int = 0


class Execution:
    """Runs a command, and moves its streams only as fast as the other side takes them.

    :param job: says when to stop, and is told whom a signal goes to.
    :param sink: has room(stream), take(stream, payload), has_stdin and give().
    """

    def __init__(self, job: Any, command: Command, sink: Any) -> None:
        self._job = job
        self._command = command
        self._sink = sink
        self._counts = dict.fromkeys(_STREAMS, 0)
        self._stdin = b""
        self._stdin_last = False
        self._kill_at: Optional[float] = None
        self._linger_until: Optional[float] = None
        self._owed: Optional[Dict[int, int]] = None  # once that time is over: what still has to be read
        self._ended: Optional[wire.WireError] = None

    def run(self) -> Dict[str, Any]:
        """Run it; how it ended. `WireError` when it could not start, or was cut short."""
        waker = Waker()
        self._job.on_change(waker.wake)
        try:
            self._process = self._start()
            self._ends = _end_of(self._process)
            self._job.send_signal = self._send_signal
            try:
                self._open = {self._fileno(stream): stream for stream in _STREAMS}
                self._serve(waker)
            finally:
                self._job.send_signal = None
                self._close()
        finally:
            self._job.on_change(lambda: None)
            waker.close()
        if self._ended:
            raise self._ended
        return self._result()

    def _start(self) -> Process:
        process = self._copied() or self._started()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
        return process

    def _copied(self) -> Optional[Copied]:
        command = self._command
        if not command.warm:
            return None
        return PYTHONS.start(Program(command.path, command.argv[0], command.env), command.cwd, command.warm)

    def _started(self) -> "subprocess.Popen[bytes]":
        command = self._command
        options = command.account.popen_options() if command.account else {}
        try:
            return subprocess.Popen(
                [names.encode(word) for word in command.argv],
                executable=names.encode(command.path),
                cwd=names.encode(command.cwd),
                env={names.encode(name): names.encode(value) for name, value in command.env.items()},
                stdin=subprocess.PIPE if self._sink.has_stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
                **options,
            )
        except subprocess.SubprocessError as error:
            raise wire.WireError(wire.SYSTEM_ERROR, f"the command could not start: {error}") from None

    def _fileno(self, stream: str) -> int:
        return int(getattr(self._process, stream).fileno())

    def _serve(self, waker: Waker) -> None:
        """Move data until the command and its output have ended."""
        while not self._done():
            poller = select.poll()
            poller.register(waker.reader, select.POLLIN)
            if self._ends is not None and self._process.returncode is None:
                poller.register(self._ends, select.POLLIN)
            for handle, stream in self._open.items():
                if self._sink.room(stream):
                    poller.register(handle, select.POLLIN)
            stdin = self._wanted_stdin()
            if stdin is not None:
                poller.register(stdin, select.POLLOUT)
            for handle, _events in poller.poll(self._patience()):
                if handle == waker.reader:
                    waker.drain()
                elif handle in self._open:
                    self._read(handle)
                elif handle == stdin:
                    self._write_stdin()

    def _done(self) -> bool:
        """Look at everything that can end the command."""
        exited = self._process.poll() is not None
        now = time.monotonic()
        if self._ended is None:
            try:
                self._job.check()
            except wire.WireError as error:
                self._ended = error
                self._kill_at = now + _GRACE
                self._signal_group(signal.SIGTERM)
        if self._kill_at is not None and now >= self._kill_at:
            self._signal_group(signal.SIGKILL)
            self._kill_at = now + _GRACE
        if not exited:
            return False
        return self._ended is not None or not self._open or self._has_lingered(now)

    def _has_lingered(self, now: float) -> bool:
        """Whether all was read that was written before the time for it was over, however slowly the host takes it."""
        if self._linger_until is None:
            self._linger_until = now + _LINGER
        if self._owed is None and now >= self._linger_until:
            self._owed = {handle: _waiting(handle) for handle in self._open}
        return self._owed is not None and not any(self._owed.values())

    def _patience(self) -> float:
        """Milliseconds until something is to be done though nothing happens."""
        now = time.monotonic()
        ends = [self._kill_at] if self._kill_at is not None else []
        if self._linger_until is not None and self._owed is None:
            ends.append(self._linger_until)
        if self._ended is None:
            ends.append(now + self._job.remaining)
        return max(0.0, min(ends) - now) * 1000 + 1

    # --- streams

    def _read(self, handle: int) -> None:
        stream = self._open[handle]
        # There was some before the wait, but another stream may have taken it; and to read nothing looks like the end.
        room = self._sink.room(stream)
        if not room:
            return
        try:
            payload = os.read(handle, room)
        except BlockingIOError:
            return
        self._counts[stream] += len(payload)
        if not payload:
            del self._open[handle]
        if self._owed is not None:
            self._owed[handle] = max(0, self._owed[handle] - len(payload)) if payload else 0
        if self._ended is None:
            self._sink.take(stream, payload)

    def _wanted_stdin(self) -> Optional[int]:
        """The command's input if there is something to write; it is closed after the last piece."""
        pipe = self._process.stdin
        if pipe is None or self._ended is not None:
            return None  # what a host leaves behind is no input for a command that is being stopped
        while not self._stdin and not self._stdin_last:
            piece = self._sink.give()
            if piece is None:
                return None
            self._stdin, self._stdin_last = piece
            if pipe.closed:
                self._stdin = b""  # the command reads no more: what still comes for it is thrown away
        if not self._stdin:
            pipe.close()
            return None
        return pipe.fileno()

    def _write_stdin(self) -> None:
        pipe = self._process.stdin
        if pipe is None:
            return
        try:
            self._stdin = self._stdin[os.write(pipe.fileno(), self._stdin) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._stdin = b""
            pipe.close()

    # --- the end

    def _send_signal(self, number: int) -> None:
        """Called from the event loop, with the agent's condition held."""
        if self._process.returncode is None:
            self._signal_group(number)

    def _signal_group(self, number: int) -> None:
        # The group lives on while one of its members does, its leader's number is not given away before that.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    def _close(self) -> None:
        """Leave no process and no descriptor behind, whatever happened."""
        if self._process.poll() is None:
            self._signal_group(signal.SIGKILL)
            self._process.wait()
        if self._ended is not None:
            self._signal_group(signal.SIGKILL)
        else:
            for stream in self._open.values():
                self._sink.take(stream, b"")
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        if isinstance(self._process, Copied):
            self._process.close()
        elif self._ends is not None:
            os.close(self._ends)

    def _result(self) -> Dict[str, Any]:
        status = int(self._process.returncode or 0)  # it has ended
        result: Dict[str, Any] = {name + "_bytes": count for name, count in self._counts.items()}
        if status < 0:
            result["signal"] = _signal_name(-status)
        else:
            result["exit"] = status
        return result


def _end_of(process: Process) -> Optional[int]:
    """What becomes readable when a process ends; None before Python 3.9, where only SIGCHLD tells."""
    if isinstance(process, Copied):
        return process.fileno()
    with contextlib.suppress(OSError):
        return os.pidfd_open(process.pid) if hasattr(os, "pidfd_open") else None
    return None


def _waiting(handle: int) -> int:
    """How many bytes a pipe holds."""
    return int(struct.unpack("i", fcntl.ioctl(handle, termios.FIONREAD, bytes(4)))[0])


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name[3:]
    except ValueError:
        return str(number)
