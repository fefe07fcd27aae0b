# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Freezes file systems, and thaws them whatever happens: a program of its own, so that the agent's death thaws, too.

It is run as text, with the time in seconds and the descriptors of the mount points as arguments. It says what went
wrong (0 for nothing), when it will thaw, and which it froze; waits until its stdin ends or the time is over, thaws, and
says which of the two it was. Everything that it needs is in memory before the first one is frozen; it reads and writes
nothing but its pipes.
"""

import contextlib
import errno
import fcntl
import os
import select
import signal
import sys
import time
from typing import List

# linux/fs.h: _IOWR('X', 119, int) and _IOWR('X', 120, int)
FIFREEZE = 0xC0045877
FITHAW = 0xC0045878
_CANNOT = (errno.EOPNOTSUPP, errno.ENOTTY)


def guard(seconds: float, handles: List[int]) -> None:
    """Do all of it."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end = time.monotonic() + seconds
    frozen = []  # type: List[int]
    try:
        trouble = _freeze(handles, frozen)
        _say("frozen {} {:.6f} {}".format(trouble, end, " ".join(map(str, frozen))))
        asked = bool(trouble or select.select([0], [], [], max(0.0, end - time.monotonic()))[0])
    finally:
        thaw(frozen)
    _say("asked" if asked else "late")


def _freeze(handles: List[int], frozen: List[int]) -> int:
    """Freeze in this order, skipping what cannot be; the error that stopped it, or 0."""
    for handle in handles:
        if select.select([0], [], [], 0)[0]:
            return errno.ECANCELED
        try:
            fcntl.ioctl(handle, FIFREEZE, 0)
            frozen.append(handle)
        except OSError as error:
            if error.errno not in _CANNOT:
                return error.errno or errno.EIO
    return 0


def thaw(handles: List[int]) -> None:
    """Thaw in the opposite order; what is not frozen any more is left."""
    for handle in reversed(handles):
        with contextlib.suppress(OSError):
            fcntl.ioctl(handle, FITHAW, 0)


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(1, text.encode("ascii") + b"\n")


if __name__ == "__main__":
    guard(float(sys.argv[1]), [int(word) for word in sys.argv[2:]])
