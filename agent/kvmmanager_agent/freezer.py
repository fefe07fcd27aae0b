# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Frozen file systems: one set at a time for the whole machine, and always thawed again.

A process of its own (`linux.freeze_guard`) freezes and thaws. It thaws when it is asked to, when the time is over, and
when the agent is gone. Should it be killed itself, the agent thaws.
"""

import contextlib
import errno
import os
import pkgutil
import subprocess
import sys
import threading
from typing import Any, Callable, List, Optional, Sequence, Set, Tuple

from . import names, wire
from .linux import freeze_guard, mounts


def _ignore(*_arguments: Any) -> None:
    """Nobody is to be told."""


class Freezer:
    """The freeze of this moment, if there is one.

    :ivar on_freeze: called before the first file system is frozen: from now on nothing may be written to disk.
    :ivar on_thaw: called after the last one is thawed, with why.
    """

    def __init__(self) -> None:
        self.on_freeze: Callable[[], None] = _ignore
        self.on_thaw: Callable[[str], None] = _ignore
        self._now: Optional[_Freeze] = None

    @property
    def active(self) -> bool:
        """Whether something is frozen, or about to be."""
        return self._now is not None

    def freeze(self, job: Any, points: Optional[List[str]], seconds: float) -> Tuple[List[str], float]:
        """Freeze the file systems at some mount points, or all local ones.

        Gives those that were frozen, the last mounted first, and when they will be thawed, on the monotonic clock.
        """
        with job.alone("freeze"):
            if self._now is not None:
                raise wire.WireError(wire.BUSY, "file systems are frozen already; call fs_thaw first")
            with contextlib.ExitStack() as stack:
                places = _open(points, stack)
                frozen = _Freeze(job, places, seconds, self._over)
                self._now = frozen
                self.on_freeze()
                frozen.start()
                stack.pop_all()
            return frozen.wait(), frozen.thaw_at

    def thaw(self, job: Any) -> Tuple[List[str], bool]:
        """Thaw; what was thawed, and whether all of it had stayed frozen until now."""
        now = self._now
        if now is None:
            return [], False
        now.release()
        job.wait_until(now.ended.is_set)
        return now.points, now.held

    def stop(self, seconds: float) -> None:
        """Thaw because the agent ends."""
        now = self._now
        if now is not None:
            now.release()
            now.ended.wait(seconds)

    def _over(self, why: str) -> None:
        self._now = None
        self.on_thaw(why)


class _Freeze:
    """One freeze, from its beginning to its end."""

    def __init__(self, job: Any, places: List[Tuple[int, str]], seconds: float, over: Callable[[str], None]) -> None:
        self._job = job
        self._places = places
        self._seconds = seconds
        self._over = over
        self._trouble: Optional[int] = None
        self.points: List[str] = []
        self.thaw_at = 0.0
        self.held = False
        self.ended = threading.Event()

    def start(self) -> None:
        """Start the guard, and who waits for its end."""
        handles = [handle for handle, _point in self._places]
        try:
            self._guard = _run_guard(self._seconds, handles)
            try:
                threading.Thread(target=self._watch, daemon=True).start()
            except RuntimeError:
                self.release()
                raise wire.WireError(wire.BUSY, "the guest has no thread left for this") from None
        except (OSError, wire.WireError):
            self._over("the file systems could not be frozen")
            raise

    def wait(self) -> List[str]:
        """Wait until all is frozen; their mount points."""
        try:
            self._job.wait_until(lambda: self._trouble is not None)
        except wire.WireError:
            self.release()
            raise
        if self._trouble or not self.points:
            # Only then the host can try again.
            self.release()
            self._job.wait_until(self.ended.is_set)
        if self._trouble:
            message = f"the file systems could not be frozen: {os.strerror(self._trouble)}"
            raise wire.WireError(wire.SYSTEM_ERROR, message, {"errno": self._trouble})
        if not self.points:
            raise wire.WireError(wire.UNSUPPORTED, "the guest has no file system that can be frozen")
        return self.points

    def release(self) -> None:
        """Tell the guard to thaw."""
        with contextlib.suppress(OSError):
            if self._guard.stdin is not None:
                self._guard.stdin.close()

    def _watch(self) -> None:
        """Take what the guard says, and clean up after it."""
        output = self._guard.stdout
        words = output.readline().split() if output else []
        self._job.tell(lambda: self._began(words))
        last = output.readline().strip() if output else b""
        if self._guard.wait() or not last:
            freeze_guard.thaw([handle for handle, _point in self._places])
        for handle, _point in self._places:
            os.close(handle)
        self.release()
        if output:
            output.close()
        self.held = last == b"asked"
        self._over("the file systems are thawed" if self.held else "the file systems were thawed: their time was over")
        self._job.tell(self.ended.set)

    def _began(self, words: Sequence[bytes]) -> None:
        points = dict(self._places)
        self.points = [points[int(word)] for word in words[3:]]
        # A guard that says nothing was killed. Its monotonic clock is the agent's, as all of this machine's are.
        self.thaw_at = float(words[2]) if words else 0.0
        self._trouble = int(words[1]) if words else errno.EINTR


def _open(points: Optional[List[str]], stack: contextlib.ExitStack) -> List[Tuple[int, str]]:
    """Open each local file system once, the last mounted first: it may lie in a file of an earlier one."""
    found = [mount for mount in mounts.local() if not mount.read_only]
    for point in points or []:
        if point not in [mount.point for mount in found]:
            raise wire.WireError(wire.NOT_FOUND, f"the guest has no local file system that can be written at {point}")
    places = []
    seen: Set[Any] = set()
    for mount in reversed(found):
        if mount.number in seen or (points is not None and mount.point not in points):
            continue
        handle = os.open(names.encode(mount.point), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        stack.callback(os.close, handle)
        # A mount can be hidden below another one, which is what was opened then.
        device = os.fstat(handle).st_dev
        if device not in seen:
            places.append((handle, mount.point))
            seen.update((mount.number, device))
    return places


def _run_guard(seconds: float, handles: List[int]) -> "subprocess.Popen[bytes]":
    source = pkgutil.get_data(freeze_guard.__name__.rpartition(".")[0], "freeze_guard.py") or b""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", source.decode("utf-8"), str(seconds), *map(str, handles)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=handles,
        # The signals of the agent's group are not for it.
        start_new_session=True,
    )


FREEZER = Freezer()
