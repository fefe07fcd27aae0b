# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""libvirt's event loop in a thread: needed for keepalive and for every event that is waited for.

libvirt demands that the loop be registered before the first connection is opened
(https://libvirt.org/html/libvirt-libvirt-event.html). It cannot be registered twice, nor be taken back.

Ansible forks: what runs in the main process, an inventory plugin, is followed by workers that are copies of it. A copy
of a running loop may hold a lock that nobody will ever release, so the loop runs only while a connection is open.
"""

from __future__ import annotations

import os
import threading

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt

# Processes that were forked after the registration share the descriptor that wakes the loop, and one may take another's
# wake-up. So none sleeps for longer than this.
_LONGEST_SLEEP_MS = 500


class _Loop:
    """The loop of this process, and how many connections are open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._timer: int | None = None
        self._users = 0
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Another connection is about to be opened."""
        if self._process != os.getpid():  # a fork has neither the thread nor the connections
            self._lock, self._process, self._users = threading.Lock(), os.getpid(), 0
        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            if self._timer is None:
                libvirt.virEventRegisterDefaultImpl()
                self._timer = libvirt.virEventAddTimeout(_LONGEST_SLEEP_MS, lambda _timer, _opaque: None, None)
            self._ending = threading.Event()
            self._thread = threading.Thread(target=_run, args=(self._ending,), name="libvirt-events", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """One connection is closed; with the last one the loop ends."""
        with self._lock:
            if self._process != os.getpid() or not self._users:
                return
            self._users -= 1
            if self._users or self._thread is None:
                return
            self._ending.set()
            libvirt.virEventUpdateTimeout(self._timer, 0)  # wakes it
            self._thread.join()
            libvirt.virEventUpdateTimeout(self._timer, _LONGEST_SLEEP_MS)


_loop = _Loop()


def start_event_loop() -> None:
    """Run libvirt's event loop in a thread of this process until `stop_event_loop` was called as often as this."""
    _loop.start()


def stop_event_loop() -> None:
    """See `start_event_loop`."""
    _loop.stop()


def _run(ending: threading.Event) -> None:
    while not ending.is_set():
        libvirt.virEventRunDefaultImpl()
