# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bytes of a guest's virtio-serial port, over a libvirt stream, which works over SSH, TLS and locally."""

from __future__ import annotations

import collections
import contextlib
import threading
import time
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import GuestUnreachable
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.lock import PortLock
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.outbox import Outbox
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline, TimedOut, call_within
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure, single_line
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt

_BLOCK = 256 * 1024  # bytes taken from libvirt at once; it carries at most so many in a message
_CLOSING = 3.0  # seconds that libvirt may take to close the stream; it takes for ever when its daemon takes nothing
_MOST_WAITING = 16 * 1024 * 1024  # bytes that nobody has read yet: a guest that keeps to its credit stays far below
_NOTHING_YET = -2  # what recv() of a stream that does not block says
_FIRST_PAUSE = 0.05  # seconds until a port that another program uses is asked for again
_LONGEST_PAUSE = 2.0


class Channel:
    """An open port of a running domain. libvirt's event loop takes what comes, as soon as it comes.

    Streams that block are of no use here. They know no timeout, and while one thread waits in recv() another one's
    send() was seen to wait with it, for seconds.

    :param stream: an open ``libvirt.virStream`` that does not block.
    :param where: the guest in words, for messages.
    """

    def __init__(self, stream: Any, where: str, lock: PortLock | None = None) -> None:
        self._stream = stream
        self._where = where
        self._lock = lock
        self._waiting: collections.deque[bytes] = collections.deque()
        self._size = 0
        self._ended: str | None = None  # why nothing more will come
        self._changed = threading.Condition()
        self._outbox = Outbox(stream.send, lambda error: self._end(single_line(str(error))))
        events = libvirt.VIR_STREAM_EVENT_READABLE | libvirt.VIR_STREAM_EVENT_ERROR | libvirt.VIR_STREAM_EVENT_HANGUP
        stream.eventAddCallback(events, self._on_event, None)

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Queue bytes for libvirt.

        :raises GuestUnreachable: when the stream has ended, or still takes nothing at the deadline. Then it is of no
            use any more: a part of a message may be on its way.
        """
        if self._ended is None and not self._outbox.put(data, deadline):
            self._end(f"nothing more went into its port within {deadline.seconds or 0:.0f} seconds, so it hangs")
        if self._ended is not None:
            raise self._lost()

    def receive(self, deadline: Deadline) -> bytes:
        """What has come, at least a byte; nothing when the deadline passes first.

        :raises GuestUnreachable: when all that came was read and the stream has ended.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended is not None, deadline.remaining)
            if self._waiting:
                received = self._waiting.popleft()
                self._size -= len(received)
                return received
            if self._ended is not None:
                raise self._lost()
        return b""

    def close(self) -> None:
        """Close the port and let the next program have it. Never fails."""
        self._end("the session was closed")
        self._outbox.close()
        with contextlib.suppress(libvirt.libvirtError, TimedOut):
            call_within(_CLOSING, self._abort)
        if self._lock is not None:
            self._lock.release()

    def _abort(self) -> None:
        with contextlib.suppress(libvirt.libvirtError):
            self._stream.eventRemoveCallback()
        self._stream.abort()

    def _on_event(self, _stream: Any, _events: int, _opaque: Any) -> None:
        """Called in the thread of libvirt's event loop."""
        try:
            self._drain()
        except libvirt.libvirtError as error:
            self._end(single_line(str(error)))
        if self._ended is not None:
            # It would be called again at once, for ever.
            with contextlib.suppress(libvirt.libvirtError):
                self._stream.eventRemoveCallback()

    def _drain(self) -> None:
        while self._ended is None:
            block = self._stream.recv(_BLOCK)
            if block == _NOTHING_YET:
                return
            if not block:
                self._end("the guest was switched off or started again, or its port was removed")
                return
            with self._changed:
                self._waiting.append(block)
                self._size += len(block)
                self._changed.notify_all()
            if self._size > _MOST_WAITING:
                self._end("the guest sent more than it was asked for")

    def _end(self, why: str) -> None:
        with self._changed:
            self._ended = self._ended or why
            self._changed.notify_all()

    def _lost(self) -> GuestUnreachable:
        return GuestUnreachable(
            f"The connection to {self._where} broke: {self._ended}. Look at the domain, then run the task again."
        )


def open_channel(hypervisor: Hypervisor, uuid: str, port: str, where: str, deadline: Deadline) -> Channel:
    """Open a port of a running domain, as soon as no other program uses it.

    Programs of this user on this machine queue up at a lock. Those elsewhere are met in libvirt, which gives a port
    to one at a time; it is asked again, ever less often. Nobody is thrown out.

    :raises GuestUnreachable: when the port is still in use at the deadline.
    :raises Failure: what else libvirt says.
    """
    lock = PortLock(hypervisor.uri, uuid, port)
    if not lock.acquire(deadline):
        raise _in_use(where, port, deadline)
    try:
        return Channel(_open_stream(hypervisor, uuid, port, where, deadline), where, lock)
    except BaseException:
        lock.release()
        raise


def _open_stream(hypervisor: Hypervisor, uuid: str, port: str, where: str, deadline: Deadline) -> Any:
    pause = _FIRST_PAUSE
    while True:
        try:
            return hypervisor.privileged.open_channel(uuid, port, blocking=False)
        except Failure as failure:
            if "Active channel stream exists" not in failure.message:
                raise
        if deadline.passed:
            raise _in_use(where, port, deadline)
        remaining = deadline.remaining
        time.sleep(pause if remaining is None else min(pause, remaining))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _in_use(where: str, port: str, deadline: Deadline) -> GuestUnreachable:
    return GuestUnreachable(
        f"Another program has used the port {port} of {where} all the time, for {deadline.seconds or 0:g} seconds. "
        "Wait until it has ended, or allow more time."
    )
