# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtio-serial port, as the kernel's drivers/char/virtio_console.c presents it to one opener at a time."""

import os
import select
from typing import List, Optional

from . import names

_READ_SIZE = 4096  # bytes of a buffer that the driver gives to the host; a read returns no more
_WRITE_SIZE = 32 * 1024  # bytes that a write takes at most


class PortGone(Exception):
    """The port was unplugged, or taken away with its driver."""


class Port:
    """A port that never blocks.

    :param handle: a descriptor that is non-blocking.
    """

    def __init__(self, handle: int) -> None:
        self.handle = handle

    @classmethod
    def open(cls, path: str) -> "Port":
        """Open a device; OSError when it is missing (ENOENT) or has another opener (EBUSY)."""
        return cls(os.open(names.encode(path), os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC))

    def read(self, space: List[memoryview]) -> Optional[int]:
        """Fill ``space`` with what has come; how many bytes that is.

        0 when no host is there, None when there is one and it says nothing. The kernel fills one piece of memory from
        one of its buffers, then the next, so pieces as large as those get all that is there with one call.
        """
        try:
            return os.readv(self.handle, _cut(space, _READ_SIZE))
        except BlockingIOError:
            return None
        except OSError as error:
            raise PortGone(str(error)) from None

    def write(self, data: List[memoryview]) -> int:
        """Write what can be written now; how many bytes that was. No host takes no byte."""
        try:
            return os.writev(self.handle, _cut(data, _WRITE_SIZE))
        except BlockingIOError:
            return 0
        except OSError as error:
            raise PortGone(str(error)) from None

    def host_is_there(self) -> bool:
        """Whether a host holds the other end at this moment."""
        poller = select.poll()
        poller.register(self.handle, select.POLLIN)
        return not any(events & (select.POLLHUP | select.POLLERR) for _handle, events in poller.poll(0))

    def close(self) -> None:
        """Give the port to the next opener."""
        os.close(self.handle)


def _cut(memory: List[memoryview], size: int) -> List[memoryview]:
    return [piece[begin : begin + size] for piece in memory for begin in range(0, len(piece), size)]
