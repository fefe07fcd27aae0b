# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wakes a thread that waits in epoll or poll, from another thread or a signal handler."""

import contextlib
import os
import select


class Waker:
    """A pipe that holds at most a few bytes.

    :ivar reader: the descriptor to wait for.
    :ivar writer: any byte written here wakes.
    """

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(self.writer, False)

    def wake(self) -> None:
        """Make ``reader`` readable. A full pipe is readable already."""
        with contextlib.suppress(BlockingIOError):
            os.write(self.writer, b"\0")

    def wait(self, seconds: float) -> None:
        """Wait for the next wake, for a limited time."""
        poller = select.poll()
        poller.register(self.reader, select.POLLIN)
        poller.poll(max(0.0, seconds) * 1000)
        self.drain()

    def drain(self) -> bool:
        """Make ``reader`` unreadable until the next wake; whether one of the wakes was a signal's (set_wakeup_fd)."""
        received = b""
        with contextlib.suppress(BlockingIOError):
            while len(received) % 4096 == 0:
                received += os.read(self.reader, 4096)
        return any(received)

    def close(self) -> None:
        """Give both descriptors back."""
        os.close(self.reader)
        os.close(self.writer)
