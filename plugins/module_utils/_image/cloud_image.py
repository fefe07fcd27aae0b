# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managing an image in the cache and in a pool: what the module cloud_image does."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import source
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.cache import Cache, Cached, locked
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.checksum import Checksum
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.image_file import inspect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.library import Library, Policy
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.pool_image import PoolImage
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._lock_folder import lock_folder
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, Plan
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import Resource


@dataclass
class Progress:
    """How far an image is on its way; the actions of a plan move it on.

    :ivar cached: the image on this machine; None while it is not.
    :ivar wanted: its checksum, as far as it is known.
    :ivar stored: its place in a pool; None for a task without pool, or while its name is not known.
    :ivar is_stored: whether it is complete there.
    :ivar is_same: whether a download brought what was in the cache before: no name for the content said so.
    """

    cached: Cached | None = None
    wanted: Checksum | None = None
    stored: PoolImage | None = None
    is_stored: bool = False
    is_same: bool = False


class CloudImage(Resource):
    """The image that the task names."""

    def __init__(self, params: dict[str, Any], hypervisor: Hypervisor) -> None:
        super().__init__(params, hypervisor)
        self.source = source.from_params(params)
        self.cache = Cache(_cache_folder(params["cache_dir"]))
        self.library = Library(
            self.cache,
            Policy(
                refresh=params["refresh"],
                keyring=params["keyring"] if params["verify_signature"] else None,
                identify=params["pool"] is None or params["volume"] is None,
                timeout=params["timeout"],
            ),
        )
        self.progress = Progress()

    def read(self) -> Progress:
        """What is where. Asks the publisher only for what neither the pool nor the cache can say."""
        if self.params["volume"]:
            self.progress.stored = self._in_pool(self.params["volume"])
            self.progress.is_stored = self.progress.stored.is_complete()
        if self.progress.is_stored:
            self.progress.cached = None if self.source.path else self.library.known(self.source)
            return self.progress
        self.progress.cached, self.progress.wanted = self.library.current(self.source)
        if self.params["pool"] and self.progress.stored is None:
            self.progress.stored = self._in_pool(self._volume_name())
            self.progress.is_stored = self.progress.stored.is_complete()
        return self.progress

    def plan(self, current: Progress) -> Plan:
        """Download what is missing, and upload it."""
        plan = Plan(result={"image": self._describe()})
        if current.is_stored:
            return plan
        if current.cached is None:
            plan.changes.append(Change("cache", None, self.cache.path_of(self.source)))
            plan.add(f"download {self.source.where}", lambda _hypervisor: self._download())
        if current.stored is not None:
            plan.changes.append(Change("volume", None, f"{current.stored.volume} in {current.stored.pool}"))
            plan.add(f"upload {current.stored}", lambda _hypervisor: self._upload())
        return plan

    def finish(self, plan: Plan) -> dict[str, Any]:
        """The result with what the download and the upload brought to light."""
        if self.progress.is_same and self.progress.stored is None:
            plan.actions.clear()
            plan.changes.clear()
        return {"image": self._describe()}

    def _download(self) -> None:
        before = self.library.known(self.source)
        self.progress.cached = self.library.obtain(self.source, self.progress.wanted)
        self.progress.is_same = before is not None and before.sha256 == self.progress.cached.sha256

    def _upload(self) -> None:
        stored, cached = self.progress.stored, self.progress.cached
        if stored is None or cached is None:
            raise Failure("There is no image to upload.")
        # One upload at a time from this machine: tasks for many hosts often want the same image at once.
        name = f"{self.hypervisor.uri} {stored.pool} {stored.volume}"
        # A local file needs no cache, which this user may not even write into.
        lock = locked(str(lock_folder()), name) if self.source.path else self.cache.lock(name)
        with lock:
            stored.write(cached.path, self.source.format)

    def _volume_name(self) -> str:
        """The volume's name when the task has none: it says which build of the image it holds."""
        identity = self.progress.wanted
        if identity is None:
            raise Failure("Without a checksum the volume has no name of its own: give volume.")
        return f"{self.source.label}-{identity.digest[:12]}{self.source.suffix}"

    def _in_pool(self, volume: str) -> PoolImage:
        return PoolImage(self.hypervisor, self.params["pool"], volume)

    def _describe(self) -> dict[str, Any]:
        progress, wanted = self.progress, self.source
        cached, stored = progress.cached, progress.stored
        identity = cached.identity if cached else progress.wanted
        volume = stored.describe() if stored else None
        file = inspect(cached.path, wanted.format) if cached else None
        return {
            "name": wanted.label,
            "source": wanted.where,
            "path": cached.path if cached else None,
            "checksum": str(identity) if identity else None,
            "format": volume["format"] if volume else file.format if file else wanted.format,
            "capacity": volume["capacity"] if volume else file.capacity if file else None,
            "user": wanted.user,
            "firmware": list(wanted.firmware),
            "pool": stored.pool if stored else None,
            "volume": stored.volume if stored else None,
            "volume_path": volume["path"] if volume else None,
        }


class RemovedImage(Resource):
    """The image that the task wants gone: from a pool when it names one, else from the cache."""

    def read(self) -> PoolImage | str | None:
        """What is there of it, complete or not: the volume, or the path in the cache."""
        if not self.params["pool"]:
            cache, wanted = self._cache(), source.from_params(self.params)
            return cache.path_of(wanted) if wanted.path is None and cache.holds(wanted) else None
        if not self.params["volume"]:
            raise Failure("To remove an image from a pool, name its volume.")
        stored = PoolImage(self.hypervisor, self.params["pool"], self.params["volume"])
        return stored if stored.exists() else None

    def plan(self, current: PoolImage | str | None) -> Plan:
        """Delete the volume, or the file in the cache."""
        plan = Plan(result={"image": None})
        if isinstance(current, PoolImage):
            current.require_unused()
            plan.changes.append(Change("volume", f"{current.volume} in {current.pool}", None))
            plan.add(f"delete {current}", lambda _hypervisor: current.remove())
        elif current is not None:
            plan.changes.append(Change("cache", current, None))
            plan.add(f"delete {current}", lambda _hypervisor: self._forget())
        return plan

    def _forget(self) -> None:
        cache, wanted = self._cache(), source.from_params(self.params)
        with cache.lock(wanted.location):  # not under the hands of a download
            cache.forget(wanted)

    def _cache(self) -> Cache:
        return Cache(_cache_folder(self.params["cache_dir"]))


def cloud_image(params: dict[str, Any], hypervisor: Hypervisor) -> Resource:
    """What a task with these options manages."""
    if params["state"] == "absent":
        return RemovedImage(params, hypervisor)
    if params["verify_signature"] and source.from_params(params).path is not None:
        raise Failure("verify_signature: a file of this machine has no signature. Give its checksum instead.")
    return CloudImage(params, hypervisor)


def _cache_folder(given: str | None) -> str:
    """The folder that the task names, else that of the user by the XDG base directory specification."""
    if given:
        return given
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "kvmmanager", "images")
