# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtio-serial port, as the kernel's drivers/char/virtio_console.c presents it to one opener at a time."""

import os
import select
from typing import List, Optional

from . import names

# A read never returns more than the 4 KiB buffer that the driver gave to the host, a write never takes more.
_READ_SIZE = 64 * 1024
_WRITE_SIZE = 32 * 1024


class PortGone(Exception):
    """The port was unplugged, or taken away with its driver."""


class Port:
    """A port that never blocks.

    :param handle: a descriptor that is non-blocking.
    """

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self._lost = False  # the host went after what was read last

    @classmethod
    def open(cls, path: str) -> "Port":
        """Open a device; OSError when it is missing (ENOENT) or has another opener (EBUSY)."""
        return cls(os.open(names.encode(path), os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC))

    def read(self) -> Optional[bytes]:
        """What has come; empty when no host is there, None when there is one and it says nothing.

        The kernel hands on 4096 bytes at a time. They are put together here, for all that is done with them costs more.
        """
        pieces: List[bytes] = []
        size = 0
        try:
            while size < _READ_SIZE and not self._lost:
                pieces.append(os.read(self.handle, _READ_SIZE))
                size += len(pieces[-1])
                self._lost = not pieces[-1]
        except BlockingIOError:
            if not pieces:
                return None
        except OSError as error:
            if not pieces:
                raise PortGone(str(error)) from None
        if not size:
            self._lost = False
        return b"".join(pieces)

    def write(self, data: memoryview) -> int:
        """Write what can be written now; how many bytes that was. No host takes no byte."""
        try:
            return os.write(self.handle, data[:_WRITE_SIZE])
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
