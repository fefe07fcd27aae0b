# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lock for a guest's port, at which the processes of one user queue up; the forks of one Ansible run, above all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._lock_folder import lock_folder


class PortLock:
    """The right to open one port. The kernel takes it back from a process that dies."""

    def __init__(self, uri: str, uuid: str, port: str) -> None:
        name = hashlib.sha256("\0".join((uri, uuid, port)).encode("utf-8", "surrogateescape")).hexdigest()[:32]
        self._path = lock_folder() / f"guest-{name}.lock"
        self._handle = -1

    def acquire(self, deadline: Deadline) -> bool:
        """Take the lock, in the order of asking; False when the deadline passes first.

        :raises Failure: when the controller refuses.
        """
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._refused(error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not _Waiter(handle).wait(deadline):
                return False
        except OSError as error:
            os.close(handle)
            raise self._refused(error) from error
        self._handle = handle
        return True

    def _refused(self, error: OSError) -> Failure:
        return Failure(
            f"Cannot lock {self._path}, which keeps two programs out of one guest: {error.strerror}. Check the folder."
        )

    def release(self) -> None:
        """Give the lock to the next; harmless when it is not held."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


class _Waiter:
    """Waits for the lock in the kernel's queue, in a thread, because that wait has no timeout."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._changed = threading.Condition()
        self._taken = False
        self._given_up = False
        threading.Thread(target=self._take, name="guest-port-lock", daemon=True).start()

    def wait(self, deadline: Deadline) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._taken, deadline.remaining)
            self._given_up = not self._taken
            return self._taken

    def _take(self) -> None:
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        with self._changed:
            self._taken = True
            self._changed.notify_all()
            if self._given_up:
                os.close(self._handle)
