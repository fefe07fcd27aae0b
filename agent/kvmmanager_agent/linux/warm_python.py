# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Python interpreter that has started already: each program runs in a copy of it (fork).

`main` is run by any Python that may be asked for, with one end of a socket (SOCK_SEQPACKET) as its stdin, stdout and
stderr: from that Python learns, as from the pipes of a program, that it cannot seek there. A request is a JSON object
with ``cwd`` and ``keep``, sent with four descriptors: the program's stdin, from which its text is read as well, its
stdout and stderr, and a socket for its status. The copy says ``pid`` and its process id there before it does anything
of the program. In the end ``end`` is said there, and the exit status as `subprocess` has it. It is reaped when the
other end was closed, so that its number is not another process's before.

The interpreter ends when its socket is closed, and after ``keep`` seconds with nothing to do. When Python has changed
on disk since it was started, it ends without running what it was asked for.
"""

import array
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import site
import socket
import sys
import time
from typing import Any, Dict, List, Optional, Tuple

from .warm_modules import CODES
from .warm_program import leave, run

_HANDLES = 4
_LONGEST = 64 * 1024  # bytes of a request
_BLOCK = 64 * 1024

# What modules of Ansible load of Python's own before they begin.
_PRELOADED = (
    "__future__ ast base64 collections.abc configparser ctypes dataclasses datetime decimal enum fcntl fnmatch "
    "functools getpass glob grp hashlib importlib.metadata importlib.util inspect io itertools linecache locale "
    "logging operator pathlib pickle pkgutil platform pwd re resource runpy selectors shlex shutil stat string struct "
    "subprocess syslog tempfile textwrap traceback typing urllib.parse uuid warnings weakref zipfile"
)

# What OpenSSL, which `hashlib` loads, reads but once: a policy for ciphers among it.
_OPENSSL = [
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/etc/crypto-policies/back-ends/opensslcnf.config",
]


class Copy:
    """A program that runs.

    :param status: for what is said about it.
    :param missed: a pipe through which it tells what modules it had to compile.
    """

    def __init__(self, pid: int, status: socket.socket, missed: int) -> None:
        self.status = status
        self.wanted = True  # the other end of ``status`` is open
        self.missed = missed  # less than 0 when nothing more can come
        self._pid = pid
        self._told = b""
        self._ended = False

    def read(self) -> bool:
        """Take some of what it tells about modules; whether there may be more."""
        try:
            piece = os.read(self.missed, _BLOCK)
        except BlockingIOError:
            return False
        self._told += piece
        if not piece:
            self._stop_reading()  # the end is announced for ever, and a program that has closed it may run for long
        return bool(piece)

    def has_ended(self) -> bool:
        """Say so when it has."""
        if not self._ended:
            ended = os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return False
            self._ended = True
            status = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
            with contextlib.suppress(OSError):
                self.status.send(b"end %d" % status)
            while self.missed >= 0 and self.read():
                pass
            self._stop_reading()
        return True

    def _stop_reading(self) -> None:
        if self.missed >= 0:
            os.close(self.missed)
        self.missed = -1

    def reap(self) -> List[Tuple[str, bytes]]:
        """Forget it; the modules that it had to compile."""
        os.waitpid(self._pid, 0)
        self.status.close()
        with contextlib.suppress(ValueError):
            return [(name, source.encode("latin-1")) for name, source in json.loads(self._told.decode("ascii"))]
        return []


class Interpreter:
    """What is copied."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._copies: List[Copy] = []
        self._open = True  # more may be asked for
        self._keep = 60.0
        self._on_disk: Dict[str, Optional[Tuple[int, int]]] = {}
        self._ended, writer = os.pipe()
        for handle in (self._ended, writer):
            os.set_blocking(handle, False)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        signal.set_wakeup_fd(writer)

    def watch(self, paths: List[str]) -> None:
        """End when one of these is another one than now."""
        self._on_disk.update((path, _facts(path)) for path in paths)

    def serve(self) -> None:
        """Run programs until there is nothing to do for a while."""
        quiet_since = time.monotonic()
        while self._copies or (self._open and time.monotonic() < quiet_since + self._keep):
            events = dict(self._wait(quiet_since))
            if self._open and self._control.fileno() in events:
                self._copy()
            if self._ended in events:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._ended, _BLOCK)
            if self._copies:
                quiet_since = time.monotonic()
            for copy in list(self._copies):
                self._look_after(copy, events)
            if not events and CODES.missed:
                CODES.learn()

    def _wait(self, quiet_since: float) -> List[Tuple[int, int]]:
        poller = select.poll()
        if self._open:
            poller.register(self._control, select.POLLIN)
        poller.register(self._ended, select.POLLIN)
        for copy in self._copies:
            if copy.missed >= 0:
                poller.register(copy.missed, select.POLLIN)
            if copy.wanted:
                poller.register(copy.status, 0)
        if CODES.missed:
            return poller.poll(0)
        if self._copies:
            return poller.poll()
        return poller.poll(max(0.0, quiet_since + self._keep - time.monotonic()) * 1000 + 1)

    def _look_after(self, copy: Copy, events: Dict[int, int]) -> None:
        if copy.status.fileno() in events:
            copy.wanted = False
        if copy.missed in events:
            copy.read()
        if copy.has_ended() and not copy.wanted:
            CODES.missed += copy.reap()
            self._copies.remove(copy)

    def _copy(self) -> None:
        """Run a program, unless this is the end, or there is no room for one more."""
        handles: List[int] = []
        try:
            request, handles = _receive(self._control)
            if len(handles) == _HANDLES and all(_facts(path) == facts for path, facts in self._on_disk.items()):
                self._start(request, handles)
                return
        except OSError:
            pass  # the agent sees that it has not begun
        self._open = False
        for handle in (*handles, self._control.detach()):
            os.close(handle)

    def _start(self, request: Dict[str, Any], handles: List[int]) -> None:
        missed, tell = os.pipe()
        os.set_blocking(missed, False)
        pid = os.fork()
        if not pid:
            self._become(request, handles, tell)
        self._keep = request["keep"]
        for handle in (*handles[:3], tell):
            os.close(handle)
        status = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, fileno=handles[3])
        self._copies.append(Copy(pid, status, missed))

    def _become(self, request: Dict[str, Any], handles: List[int], tell: int) -> None:
        """Be the program, to its end."""
        try:
            os.chdir(request["cwd"])
            os.setsid()
            for number, handle in enumerate(handles[:3]):
                os.dup2(handle, number)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.write(handles[3], b"pid %d" % os.getpid())
            _close_all_but(0, 1, 2, tell)
            pipe = os.fstat(tell)
            status = run(_read_all(0))
            _tell(tell, pipe)
            leave(status)
        finally:
            os._exit(255)


def _tell(handle: int, pipe: os.stat_result) -> None:
    """Tell the interpreter what this copy of it had to compile, unless the program has made something else of that."""
    missed = [(name, source.decode("latin-1")) for name, source in CODES.missed]
    rest = memoryview(json.dumps(missed).encode("ascii") if missed else b"")
    with contextlib.suppress(OSError):
        while rest and os.path.samestat(os.fstat(handle), pipe):
            rest = rest[os.write(handle, rest) :]


def _receive(control: socket.socket) -> Tuple[Dict[str, Any], List[int]]:
    """A request and its descriptors; an empty one at the end."""
    handles = array.array("i")
    text, ancillary, _flags, _address = control.recvmsg(_LONGEST, socket.CMSG_SPACE(_HANDLES * handles.itemsize))
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            handles.frombytes(content[: len(content) - len(content) % handles.itemsize])
    return (json.loads(text.decode("utf-8")) if text else {}), list(handles)


def _read_all(handle: int) -> bytes:
    pieces = [os.read(handle, _BLOCK)]
    while pieces[-1]:
        pieces.append(os.read(handle, _BLOCK))
    return b"".join(pieces)


def _close_all_but(*kept: int) -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))


def _facts(path: str) -> Optional[Tuple[int, int]]:
    """What tells a file, or folder, from a newer one in the same place."""
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns


def _places() -> List[str]:
    """This Python, the folders of its modules, even those that it only looks into once they are there, and settings."""
    folders = list(getattr(site, "getsitepackages", list)())  # older virtual environments have none
    return [sys.executable, *filter(None, sys.path), *folders, site.getusersitepackages(), *_OPENSSL]


def _mapped() -> List[str]:
    """The files that are loaded: libraries, which do not fit to those that would be loaded later, and locales."""
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        return list({line[line.index("/") :].rstrip("\n") for line in maps if "/" in line})


def main() -> None:
    """Load what programs load, then serve."""
    del sys.path[0]  # where this file was found
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    for handle in range(3):
        os.dup2(nothing, handle)  # who closes ``control`` has closed it
    interpreter = Interpreter(control)
    interpreter.watch(_places())
    for name in _PRELOADED.split():
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    interpreter.watch(_mapped())
    gc.collect()
    if hasattr(gc, "freeze"):
        gc.freeze()  # what is never looked at stays shared with the copies
    interpreter.serve()
