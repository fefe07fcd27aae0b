# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managing a storage volume: what the module volume does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, Plan, differences
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.lookup import (
    find_in_pool,
    find_pool,
    require_active,
    require_pool,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.upload_mark import (
    marks,
    require_no_other_upload,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_content import (
    same_content,
    verify_file,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_create import (
    delete_marks,
    delete_volume,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_definition import (
    UNKNOWN,
    describe_volume,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_file import add_save
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_origin import (
    Origin,
    find_backing,
    incomplete,
    origin,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_resize import add_resize, resize
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_users import (
    VolumeNames,
    disk_uses,
    overlays,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import Resource
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._units import Size, parse_size


@dataclass(frozen=True)
class VolumeState:
    """A volume that exists.

    :ivar facts: of `describe_volume`.
    :ivar incomplete: whether an upload or a copy into it still runs, or was interrupted.
    """

    volume: Any
    facts: dict[str, Any]
    incomplete: bool = False

    @property
    def names(self) -> VolumeNames:
        """What names it elsewhere."""
        return VolumeNames(self.facts["pool"], self.facts["name"], self.facts["path"])


class Volume(Resource):
    """The storage volume that the task names."""

    def __init__(self, params: dict[str, Any], hypervisor: Hypervisor) -> None:
        super().__init__(params, hypervisor)
        self.name: str = params["name"]
        self._pool: Any = None
        self._volume: Any = None  # the virStorageVol, once there is one

    def read(self) -> VolumeState | None:
        """The volume as libvirt holds it.

        :raises Failure: for a pool that is stopped, or that does not exist although the volume should.
        """
        look_up = find_pool if self.params["state"] == "absent" else require_pool
        self._pool = look_up(self.hypervisor, self.params["pool"])
        if self._pool is None:
            return None
        require_active(self.hypervisor, self._pool)
        self._volume = find_in_pool(self.hypervisor, self._pool, self.name)
        if self._volume is None:
            return None
        return VolumeState(self._volume, self._describe(self.hypervisor), self._is_incomplete())

    def plan(self, current: VolumeState | None) -> Plan:
        """Create, replace, resize, save or delete the volume."""
        self._check_options()
        if self.params["state"] == "absent":
            return self._plan_absent(current)
        if current is None:
            return self._plan_new()
        return self._plan_existing(current)

    def finish(self, plan: Plan) -> dict[str, Any]:
        """The result with what only libvirt knows: path, sizes."""
        if self.params["state"] == "absent":
            return plan.result
        return {"volume": self._describe(self.hypervisor)}

    def _is_incomplete(self) -> bool:
        return bool(marks(self.hypervisor, self._pool, self.name))

    def _describe(self, hypervisor: Hypervisor) -> dict[str, Any]:
        xml = hypervisor.call(f"read the volume '{self.name}'", self._volume.XMLDesc, 0)
        return describe_volume(xml, self.params["pool"])

    def _check_options(self) -> None:
        """Refuse options that libvirt would refuse later, and those that would have no effect."""
        if "/" in self.name:
            raise Failure(f"name: '{self.name}' contains a slash. Give the name of the volume, not a path.")
        has_content = [option for option in ("backing", "clone_from", "src") if self.params[option] is not None]
        if self.params["preallocation"] != "off" and has_content:
            raise Failure(
                f"preallocation is for empty volumes, not together with {has_content[0]}: leave out one of them."
            )
        if self.params["checksum"] is not None and self.params["src"] is None and self.params["dest"] is None:
            raise Failure("checksum is about the content of src or dest: give one of them, or leave out checksum.")
        if self.params["removed_domain"] is not None and self.params["state"] != "absent":
            raise Failure("removed_domain is for volumes that are removed, too: set state=absent, or leave it out.")

    # A volume that does not exist

    def _plan_new(self) -> Plan:
        if self.params["dest"] is not None:
            raise Failure(
                f"There is no volume '{self.name}' in the storage pool '{self.params['pool']}' on "
                f"{self.hypervisor.uri}, so dest cannot be written. The module volume_info lists those that there are."
            )
        made_from = origin(self.hypervisor, self._pool, self.params)
        plan = Plan(result={"volume": self._predicted(made_from)})
        plan.changes = differences({"state": "absent"}, {"state": "present", **_shown(made_from)})
        self._add_creation(plan, made_from)
        return plan

    def _add_creation(self, plan: Plan, made_from: Origin) -> None:
        plan.add(made_from.summary, lambda hypervisor: self._create(hypervisor, made_from))
        wanted = made_from.wanted
        if wanted is not None and made_from.capacity is not None and wanted > made_from.capacity:
            plan.add(f"grow the volume to {Size(wanted)}", lambda hypervisor: resize(hypervisor, self._volume, wanted))

    def _create(self, hypervisor: Hypervisor, made_from: Origin) -> None:
        self._volume = made_from.create(hypervisor, self._pool)

    def _predicted(self, made_from: Origin) -> dict[str, Any]:
        backing = made_from.backing
        return {
            **UNKNOWN,
            "name": self.name,
            "pool": self.params["pool"],
            "format": made_from.format,
            "capacity": made_from.wanted or made_from.capacity,
            "backing": None if backing is None else {"path": backing.path, "format": backing.format},
        }

    # A volume that exists

    def _plan_existing(self, current: VolumeState) -> Plan:
        is_filled = self.params["src"] is not None or self.params["clone_from"] is not None
        if current.incomplete and (self.params["dest"] is not None or not is_filled):
            raise incomplete(self.params["pool"], self.name)
        if current.incomplete or self._has_other_content(current):
            return self._plan_replacement(current)
        self._check_unchangeable(current)
        plan = Plan()
        capacity = current.facts["capacity"]
        if self.params["capacity"] is not None:
            wanted = parse_size(self.params["capacity"], "capacity")
            allow_shrink = self.params["allow_shrink"]
            add_resize(plan, self.hypervisor, current.volume, current.names, capacity, wanted, allow_shrink)
            capacity = wanted if plan.changed else capacity
        if self.params["dest"] is not None:
            add_save(plan, self.hypervisor, current.volume, self.params)
        plan.result = {"volume": {**current.facts, "capacity": int(capacity)}}
        return plan

    def _has_other_content(self, current: VolumeState) -> bool:
        """Whether the volume is to be replaced by ``src``."""
        overwrite = self.params["overwrite"]
        if self.params["src"] is None or overwrite == "never":
            return False
        if overwrite == "always":
            return True
        if self.params["capacity"] is not None:
            raise Failure(
                "overwrite=different cannot be combined with capacity: a volume that has grown since differs from src, "
                "and would be overwritten each time. Leave out one of them."
            )
        if not same_content(self.hypervisor, current.volume, self.params["pool"], self.params["src"]):
            return True
        verify_file(self.params["checksum"], self.params["src"])
        return False

    def _plan_replacement(self, current: VolumeState) -> Plan:
        made_from = origin(self.hypervisor, self._pool, self.params)
        self._check_unused(current, "overwritten")
        plan = Plan(result={"volume": {**self._predicted(made_from), "path": current.facts["path"]}})
        before = {name: current.facts[name] for name in ("format", "capacity")}
        plan.changes = [
            Change("content", "incomplete" if current.incomplete else "other", self._content()),
            *differences({**before, "capacity": Size(before["capacity"])}, _shown(made_from)),
        ]
        # Holes in what is uploaded would show what was there before, so it starts with a new file.
        freed = current.facts["allocation"] or 0
        plan.add("check the new content", lambda hypervisor: self._check_replaceable(hypervisor, made_from, freed))
        plan.add("delete the old volume", lambda hypervisor: delete_volume(hypervisor, self._volume))
        self._add_creation(plan, made_from)
        return plan

    def _content(self) -> str:
        """What the volume is made from, for people."""
        return str(self.params["src"] or f"copy of {self.params['clone_from']['volume']}")

    def _check_replaceable(self, hypervisor: Hypervisor, made_from: Origin, freed: int) -> None:
        require_no_other_upload(hypervisor, self._pool, self.name)
        made_from.check(hypervisor, self._pool, freed)

    def _check_unchangeable(self, current: VolumeState) -> None:
        """Refuse what libvirt cannot change about a volume."""
        facts = current.facts
        wanted_format = self.params["format"]
        # Of a device libvirt tells what partitions are on it, or nothing.
        format = facts["format"] if facts["type"] == "file" else "raw"
        if wanted_format not in (None, format):
            raise self._cannot_change("format", format, wanted_format)
        backing = find_backing(self.hypervisor, self.params["backing"])
        there = None if facts["backing"] is None else facts["backing"]["path"]
        if backing is not None and backing.path != there:
            raise self._cannot_change("backing", there or "none", backing.path)
        known = None if backing is None else facts["backing"]["format"]
        if known is not None and self.params["backing"]["format"] not in (None, known):
            raise self._cannot_change("format of the backing", known, self.params["backing"]["format"])

    def _cannot_change(self, what: str, there: str, wanted: str) -> Failure:
        return Failure(
            f"The {what} of the volume '{self.name}' is {there}, not {wanted}, and cannot change. Copy it to a "
            "new volume with clone_from, or delete it first."
        )

    # A volume that is to go

    def _plan_absent(self, current: VolumeState | None) -> Plan:
        plan = Plan(result={"volume": None})
        if current is None:
            self._add_removal_of_marks(plan)
            return plan
        self._check_unused(current, "deleted")
        before = {"state": "present", **{name: current.facts[name] for name in ("path", "format")}}
        plan.changes = differences(before, {"state": "absent"})
        plan.add("delete the volume", lambda hypervisor: delete_volume(hypervisor, self._volume))
        if current.incomplete:
            plan.add("delete the mark of its upload", lambda hv: delete_marks(hv, self._pool, self.name))
        return plan

    def _add_removal_of_marks(self, plan: Plan) -> None:
        """An upload that died early, or whose volume somebody else deleted, leaves only its mark."""
        left = [] if self._pool is None else marks(self.hypervisor, self._pool, self.name)
        if left:
            plan.changes.append(Change("state", "incomplete", "absent"))
            plan.add("delete the mark of its upload", lambda hv: delete_marks(hv, self._pool, self.name))

    def _check_unused(self, current: VolumeState, verb: str) -> None:
        """Refuse to take away what something needs."""
        if self.params["force"]:
            return
        uses = disk_uses(self.hypervisor, current.names)
        users = [str(use) for use in uses if use.domain != self.params["removed_domain"]]
        users += [f"the volume {path}, which is laid over it" for path in overlays(self.hypervisor, current.names)]
        if users:
            shown = ", ".join(users[:3]) + (f" and {len(users) - 3} more" if len(users) > 3 else "")
            raise Failure(
                f"The volume '{self.name}' is not {verb}, because it is needed by {shown}. "
                "Remove what needs it first, or set force=true to break that."
            )


def _shown(made_from: Origin) -> dict[str, Any]:
    """What ``--diff`` shows of a volume that is made."""
    capacity = made_from.wanted or made_from.capacity
    return {
        "format": made_from.format,
        **({} if capacity is None else {"capacity": Size(capacity)}),
        **({} if made_from.backing is None else {"backing": made_from.backing.path}),
    }
