# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Managing a seed: what the module cloud_init_seed does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import (
    documents,
    iso,
    masking,
    meta_data,
    view,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.place import FilePlace, Place, VolumePlace
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, Plan
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import Resource


@dataclass(frozen=True)
class Existing:
    """A seed that is there.

    :ivar content: its bytes.
    :ivar texts: file name → text; empty for a damaged seed.
    """

    content: bytes
    texts: dict[str, str]


class Seed(Resource):
    """The seed that the task names."""

    def __init__(self, params: dict[str, Any], hypervisor: Hypervisor) -> None:
        super().__init__(params, hypervisor)
        self.place: Place = VolumePlace(params, hypervisor) if params["pool"] else FilePlace(params)

    def read(self) -> Existing | None:
        """The seed that is there.

        :raises Failure: for a file or a volume that is something else: it may be somebody's disk.
        """
        content = self.place.read()
        if content is None:
            return None
        if not content.strip(b"\0") and self.place.is_unfinished():
            return Existing(content, {})  # nothing of it arrived yet
        if not iso.is_seed(content):
            raise Failure(
                f"{self.place.name} is not a cloud-init seed, so it is left alone. "
                "Remove it, or choose another place for the seed."
            )
        # Removing a seed needs no look into it, and so no pycdlib.
        return Existing(content, {} if self._is_absent else iso.read(content) or {})

    def plan(self, current: Existing | None) -> Plan:
        """Write, rewrite or remove the seed."""
        return self._plan_absent(current) if self._is_absent else self._plan_present(current)

    def finish(self, plan: Plan) -> dict[str, Any]:
        """The result with the path that libvirt chose for a new volume."""
        seed = plan.result["seed"]
        return {"seed": None if seed is None else {**seed, **self.place.result()}}

    @property
    def _is_absent(self) -> bool:
        return bool(self.params["state"] == "absent")

    def _plan_absent(self, current: Existing | None) -> Plan:
        plan = Plan(result={"seed": None})
        if current is not None:
            plan.changes.append(Change("state", "present", "absent"))
            plan.add(f"remove {self.place.name}", lambda _hypervisor: self.place.remove())
        return plan

    def _plan_present(self, current: Existing | None) -> Plan:
        before = {} if current is None else current.texts
        identity = self._instance_id(before.get("meta-data"))
        texts = documents.render(self.params, identity, self.params["schema"] == "auto")
        is_same = current is not None and current.texts == texts
        content = current.content if current is not None and is_same else iso.build(texts)
        plan = Plan(result={"seed": self._describe(content, texts)})
        if not is_same:
            plan.changes.extend(view.changes(before, texts))
            plan.add(f"write {self.place.name}", lambda _hypervisor: self.place.write(content))
        self.place.plan_permissions(plan, is_new=current is None)
        return plan

    def _instance_id(self, existing: str | None) -> str:
        """The instance-id that the task asks for, or that follows from its policy."""
        given = self.params["instance_id"]
        own = (meta_data.read(self.params["meta_data"]).data or {}).get("instance-id")
        if given is not None:
            meta_data.check_instance_id(given, "instance_id")
            if own not in (None, given):
                raise Failure("instance_id and the instance-id in meta_data differ: give one of them.")
            return str(given)
        if self.params["instance_id_policy"] == "keep":
            kept = meta_data.instance_id_of(existing)
            if kept is not None:
                return kept
        return documents.content_id(self.params)

    def _describe(self, content: bytes, texts: Mapping[str, str]) -> dict[str, Any]:
        return {
            **self.place.result(),
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "instance_id": meta_data.instance_id_of(texts["meta-data"]),
        }


def secrets(params: Mapping[str, Any]) -> set[str]:
    """What of the task's documents must not be seen: all of a text whose secrets nobody can tell apart."""
    found: set[str] = set()
    for option in documents.FILES:
        value = params.get(option)
        data = view.data_of(value) if isinstance(value, str) else value
        found.update([str(value)] if data is view.OPAQUE else masking.secrets(data))
    return {secret for secret in found if secret.strip()}
