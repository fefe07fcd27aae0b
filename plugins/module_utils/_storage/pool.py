# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managing a storage pool: what the module pool does."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan, differences, restart_report
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage import pool_preview
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.lookup import find_pool
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.pool_actions import PoolHandle, require_empty
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.pool_definition import (
    define,
    is_as_defined,
    settings,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.pool_state import (
    PoolState,
    describe,
    read_pool,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import Resource
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, text_at

# Pools whose storage libvirt deletes with rmdir, which never deletes data.
_DIRECTORIES = ("dir", "fs", "netfs")


class Pool(Resource):
    """The storage pool that the task names."""

    def __init__(self, params: dict[str, Any], hypervisor: Hypervisor) -> None:
        super().__init__(params, hypervisor)
        self.handle = PoolHandle(params["name"])

    def read(self) -> PoolState | None:
        """The pool as libvirt holds it."""
        self.handle.pool = find_pool(self.hypervisor, self.handle.name)
        return None if self.handle.pool is None else read_pool(self.hypervisor, self.handle.pool)

    def plan(self, current: PoolState | None) -> Plan:
        """Bring the pool to the state and the settings of the task."""
        if self.params["state"] == "absent":
            return self._plan_absent(current)
        return self._plan_present(current)

    def finish(self, plan: Plan) -> dict[str, Any]:
        """The result with what only libvirt knows: uuid, permissions, sizes."""
        if self.params["state"] == "absent":
            return plan.result
        return {**plan.result, "pool": describe(read_pool(self.hypervisor, self.handle.pool))}

    def _plan_present(self, current: PoolState | None) -> Plan:
        target = define(None if current is None else current.stored, self.params)
        self._check_permissions_can_be_set(target)
        if current is None:
            self._check_uuid_is_free(text_at(target, "uuid"))
        waiting = [] if self.params["state"] == "stopped" else pool_preview.not_in_force(current, target)
        restart = bool(waiting) and self.params["allow_restart"]
        after = pool_preview.standing_after(current, self.params["state"], self.params["autostart"])

        plan = Plan(changes=pool_preview.changes(current, target, after, waiting, restart))
        self._add_definition(plan, current, target)
        self._add_power(plan, current, target, restart)
        self._add_autostart(plan, current)
        waiting = [] if restart else waiting
        plan.result = {
            "pool": {
                **pool_preview.predicted(current, target, after, bool(waiting)),
                "name": self.handle.name,
            },
            **restart_report(waiting),
        }
        return plan

    def _add_definition(self, plan: Plan, current: PoolState | None, target: Element) -> None:
        if current is not None and current.persistent and is_as_defined(current.stored, target):
            return
        # Only what a user wrote in XML can hold something that libvirt does not know.
        validate = self.params["xml"] is not None
        summary = "define the storage pool" if current is None else "store the changed definition"
        plan.add(summary, lambda hypervisor: self.handle.define(hypervisor, target, validate))

    def _add_power(self, plan: Plan, current: PoolState | None, target: Element, restart: bool) -> None:
        active = current is not None and current.active
        wanted = self.params["state"]
        build = self._builds(target)
        if active and (restart or wanted == "stopped"):
            plan.add("stop the storage pool", self.handle.stop)
        if restart or (wanted == "started" and not active):
            plan.add("start the storage pool", lambda hypervisor: self.handle.start(hypervisor, build))

    def _add_autostart(self, plan: Plan, current: PoolState | None) -> None:
        wanted = self.params["autostart"]
        if wanted is not None and wanted != (current is not None and current.autostart):
            summary = "enable autostart" if wanted else "disable autostart"
            plan.add(summary, lambda hypervisor: self.handle.set_autostart(hypervisor, wanted))

    def _plan_absent(self, current: PoolState | None) -> Plan:
        plan = Plan(result={"pool": None, **restart_report([])})
        if current is None:
            return plan
        if self.params["delete_storage"]:
            self._check_is_directory(current)
            self._check_holds_nothing(current)
        plan.changes = differences({"state": current.state, **settings(current.stored)}, {"state": "absent"})
        if current.active:
            if self.params["delete_storage"]:
                plan.add("see that the storage pool is empty", self.handle.require_empty)
            plan.add("stop the storage pool", self.handle.stop)
        if self.params["delete_storage"]:
            plan.add("delete the storage of the pool", self.handle.delete_storage)
        if current.persistent:
            plan.add("undefine the storage pool", self.handle.undefine)
        return plan

    def _builds(self, target: Element) -> bool:
        # Building a pool of another type could mean formatting a device.
        return bool(self.params["build"]) and target.get("type") == "dir"

    def _check_permissions_can_be_set(self, target: Element) -> None:
        named = [option for option in ("mode", "owner", "group") if self.params[option] is not None]
        if named and not self._builds(target):
            raise Failure(
                f"{' and '.join(named)} cannot be set: libvirt gives permissions only to the directory of a pool of "
                "type dir with build=true. Leave them out, or set them with ansible.builtin.file on the hypervisor."
            )

    def _check_uuid_is_free(self, uuid: str | None) -> None:
        if uuid is None:
            return
        look_up = self.hypervisor.connection.storagePoolLookupByUUIDString
        other = self.hypervisor.find(f"look up the storage pool {uuid}", look_up, uuid)
        if other is not None:
            raise Failure(
                f"The uuid {uuid} belongs to the storage pool '{other.name()}' on {self.hypervisor.uri}, and a pool "
                "cannot be renamed. Leave out the uuid, or use that pool's name."
            )

    def _check_is_directory(self, current: PoolState) -> None:
        kind = current.stored.get("type")
        if kind not in _DIRECTORIES:
            raise Failure(
                f"The storage pool '{self.handle.name}' has the type {kind}: deleting its storage could destroy data "
                "that libvirt does not list, such as other volumes of a volume group. Leave out delete_storage, and "
                "delete that storage with its own tools."
            )

    def _check_holds_nothing(self, current: PoolState) -> None:
        if current.active:  # of a directory that is stopped, libvirt itself only deletes an empty one
            require_empty(self.hypervisor, current.pool)
