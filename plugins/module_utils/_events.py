# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""libvirt's event loop in a thread: needed for keepalive and for every event that is waited for.

libvirt demands that the loop be registered before the first connection is opened
(https://libvirt.org/html/libvirt-libvirt-event.html).
"""

from __future__ import annotations

import os
import threading

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt

_lock = threading.Lock()
_running_in: int | None = None


def start_event_loop() -> None:
    """Run libvirt's event loop in a daemon thread of this process; once, however often it is called."""
    global _running_in
    with _lock:
        # A forked process inherits the registration but not the thread.
        if _running_in == os.getpid():
            return
        if _running_in is None:
            libvirt.virEventRegisterDefaultImpl()
        _running_in = os.getpid()
        threading.Thread(target=_run, name="libvirt-events", daemon=True).start()


def _run() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()
