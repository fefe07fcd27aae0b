# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a seed is kept: a file of the machine that the task runs on, or a volume of a storage pool."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from typing import Any, Protocol

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.iso import LARGEST
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, Plan
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.lookup import (
    find_pool,
    find_volume,
    require_active_pool,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.permissions import clean_mode
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.upload_mark import (
    marks,
    require_no_other_upload,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_create import (
    create_with_content,
    delete_if_there,
    delete_marks,
    delete_volume,
    require_space,
)


class Place(Protocol):
    """A place that holds at most one seed.

    :ivar name: for people.
    """

    name: str

    def read(self) -> bytes | None:
        """The bytes that are there; None where nothing is."""

    def is_unfinished(self) -> bool:
        """Whether a task that wrote there broke off, so that what is there is nobody's."""

    def write(self, content: bytes) -> None:
        """Put a seed there, in the place of what was there."""

    def remove(self) -> None:
        """Delete what is there."""

    def result(self) -> dict[str, Any]:
        """What a task returns about the place."""

    def plan_permissions(self, plan: Plan, is_new: bool) -> None:
        """Add what brings the permissions to what the task says."""


class FilePlace:
    """A file; written beside and put in place in one step, so that nobody ever reads a half of it."""

    def __init__(self, params: dict[str, Any]) -> None:
        self._path: str = params["path"]
        self._mode = int(clean_mode(params["mode"], "mode"), 8)
        self.name = f"the file {self._path}"

    def read(self) -> bytes | None:
        try:
            if os.path.getsize(self._path) > LARGEST:
                return b"?"  # no seed; and no reason to read a whole disk
            with open(self._path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failure("read", error) from error

    def is_unfinished(self) -> bool:
        return False  # `write` puts the whole file in place in one step

    def write(self, content: bytes) -> None:
        try:
            self._write(content)
        except OSError as error:
            raise self._failure("write", error) from error

    def remove(self) -> None:
        try:
            os.unlink(self._path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._failure("remove", error) from error

    def result(self) -> dict[str, Any]:
        return {"path": self._path, "pool": None, "volume": None}

    def plan_permissions(self, plan: Plan, is_new: bool) -> None:
        if is_new:
            return  # `write` makes it so
        present = os.stat(self._path).st_mode & 0o7777
        if present != self._mode:
            plan.changes.append(Change("mode", f"{present:04o}", f"{self._mode:04o}"))
            plan.add(f"set the mode of {self.name}", lambda _hypervisor: self._set_mode())

    def _write(self, content: bytes) -> None:
        folder = os.path.dirname(os.path.abspath(self._path))
        descriptor, part = tempfile.mkstemp(prefix=".seed-", dir=folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                self._keep_owner(file.fileno())
                os.fchmod(file.fileno(), self._mode)
            os.replace(part, self._path)
        except BaseException:
            os.unlink(part)
            raise

    def _keep_owner(self, descriptor: int) -> None:
        """libvirt gives the file to QEMU's user while a guest runs, and that guest may read it again."""
        with contextlib.suppress(FileNotFoundError, PermissionError):
            status = os.stat(self._path)
            os.fchown(descriptor, status.st_uid, status.st_gid)

    def _set_mode(self) -> None:
        try:
            os.chmod(self._path, self._mode)
        except OSError as error:
            raise self._failure("set the mode of", error) from error

    def _failure(self, doing: str, error: OSError) -> Failure:
        advice = ""
        if isinstance(error, FileNotFoundError):
            advice = f" Create the folder {os.path.dirname(self._path) or '.'} first."
        elif isinstance(error, PermissionError):
            advice = " Run the task as a user who may, for example with become."
        return Failure(f"Cannot {doing} the seed {self._path}: {error.strerror}.{advice}")


class VolumePlace:
    """A volume of a storage pool."""

    def __init__(self, params: dict[str, Any], hypervisor: Hypervisor) -> None:
        self._hypervisor = hypervisor
        self._pool: str = params["pool"]
        self._volume: str = params["volume"]
        self._is_absent = params["state"] == "absent"
        self.name = f"the volume '{self._volume}' of the storage pool '{self._pool}'"

    def read(self) -> bytes | None:
        volume = self._find()
        if volume is None:
            return None
        if self._capacity(volume) > LARGEST:
            return b"?"  # no seed; and no reason to read a whole disk
        content = io.BytesIO()
        self._hypervisor.privileged.download_volume(self._pool, self._volume, content.write)
        return content.getvalue()

    def is_unfinished(self) -> bool:
        # A blank volume without the mark of an upload may be the new disk of a virtual machine.
        return bool(marks(self._hypervisor, require_active_pool(self._hypervisor, self._pool), self._volume))

    def write(self, content: bytes) -> None:
        pool = require_active_pool(self._hypervisor, self._pool)
        volume = self._find()
        if volume is not None:
            # Made anew: a guest that runs with the old one goes on reading that, and never a half of each. libvirt
            # cannot rename a volume, so there is a moment without one; a full disk must not make that moment last.
            require_no_other_upload(self._hypervisor, pool, self._volume)
            freed = int(self._hypervisor.call(f"read {self.name}", volume.info)[2])
            require_space(self._hypervisor, pool, self._volume, [content], len(content), freed)
            delete_volume(self._hypervisor, volume)
        create_with_content(self._hypervisor, pool, self._volume, [content], len(content))

    def remove(self) -> None:
        delete_if_there(self._hypervisor, self._pool, self._volume)
        delete_marks(self._hypervisor, require_active_pool(self._hypervisor, self._pool), self._volume)

    def result(self) -> dict[str, Any]:
        volume = self._find()
        path = None if volume is None else self._hypervisor.call(f"read {self.name}", volume.path)
        return {"path": path, "pool": self._pool, "volume": self._volume}

    def plan_permissions(self, plan: Plan, is_new: bool) -> None:
        """libvirt gives volumes the permissions of their pool."""

    def _find(self) -> Any:
        if self._is_absent and find_pool(self._hypervisor, self._pool) is None:
            return None  # gone with its pool
        return find_volume(self._hypervisor, self._pool, self._volume)

    def _capacity(self, volume: Any) -> int:
        return int(self._hypervisor.call(f"read {self.name}", volume.info)[1])
