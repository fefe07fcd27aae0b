# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The domain of a task: from its options to a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.configuration import (
    configuration_changes,
    target_configuration,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts, read_facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.hotplug import LivePlan, plan_live
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import (
    Current,
    Handle,
    find_domain,
    read_domain,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.planning import (
    Update,
    plan_autostart,
    plan_definition,
    plan_rename,
    plan_update,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.power import (
    Power,
    plan_power,
    plan_start,
    plan_stop,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.readiness import wait_until_ready
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.removal import (
    Doomed,
    Removal,
    find_doomed,
    plan_removal,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, Plan, restart_report
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import Resource, named
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse, text_at


@dataclass(frozen=True)
class Reading:
    """All that the planner needs to know, read before it plans.

    :ivar current: None where the domain does not exist.
    :ivar facts: what the host can do and what the options refer to; none when the domain is to be absent.
    :ivar doomed: the volumes that go with the domain when it is to be absent.
    """

    current: Current | None
    facts: Facts
    doomed: list[Doomed]


class Domain(Resource):
    """A domain: its stored configuration, its running state, and what changes either."""

    def __init__(self, params: dict[str, Any], hypervisor: Hypervisor) -> None:
        super().__init__(params, hypervisor)
        self.desired = named(params)
        self.power = Power(Deadline(params["timeout"]), params["force"])
        self.handle = Handle(name="")

    def read(self) -> Reading:
        """The domain, and what else the options need; see `Reading`."""
        name, uuid = self._identity()
        found = find_domain(self.hypervisor, name, uuid)
        current = None if found is None else read_domain(self.hypervisor, found)
        self.handle = Handle(name or (current.name if current else ""), found)
        if self.params["state"] == "absent":
            doomed = find_doomed(self.hypervisor, current, tuple(self.params["remove_disks"])) if current else []
            return Reading(current, Facts(), doomed)
        if not self.handle.name:
            raise Failure(f"There is no domain {uuid} on {self.hypervisor.uri}; to create it, give its name too.")
        return Reading(current, read_facts(self.hypervisor, self.desired, current.stored if current else None), [])

    def plan(self, current: Reading) -> Plan:
        """The plan that brings the domain to what the task says."""
        plan = Plan()
        if self.params["state"] == "absent":
            self._plan_absence(plan, current)
            return plan
        target = target_configuration(current.current.stored if current.current else None, self.desired, current.facts)
        if current.current is None:
            pending = self._plan_creation(plan, target)
        else:
            pending = self._plan_change(plan, current.current, target)
        plan.result = self._result(current.current, pending)
        return plan

    def finish(self, plan: Plan) -> dict[str, Any]:
        """The result with the uuid that libvirt chose, and the addresses where the task waits for one."""
        if plan.result["domain"] is None:
            return plan.result
        known = {"uuid": self.handle.domain.UUIDString()}
        result = {**plan.result, "domain": {**plan.result["domain"], **known}}
        if self.params["wait_for"]:
            result.update(wait_until_ready(self.hypervisor, self.handle, self.params["wait_for"], self.power.deadline))
        return result

    def _identity(self) -> tuple[str | None, str | None]:
        """Name and uuid, from the options or else from the raw XML."""
        name, uuid = self.params["name"], self.params["uuid"]
        if self.params["xml"] is not None:
            root = parse(self.params["xml"], "The option xml")
            if root.tag != "domain":
                raise Failure(f"The option xml holds a <{root.tag}>, not the <domain> of a virtual machine.")
            name, uuid = name or text_at(root, "name"), uuid or text_at(root, "uuid")
        return name or None, uuid or None

    def _plan_absence(self, plan: Plan, reading: Reading) -> None:
        if reading.current is not None:
            removal = Removal(self.params["nvram"], self.params["tpm_state"])
            plan_removal(plan, reading.current, removal, reading.doomed, self.power)
        plan.result = {"domain": None, **restart_report([])}

    def _plan_creation(self, plan: Plan, target: Element) -> list[Change]:
        plan_definition(plan, self.handle, target)
        plan_autostart(plan, self.handle, None, self.params["autostart"])
        self._plan_state(plan, None)
        return []

    def _plan_change(self, plan: Plan, current: Current, target: Element) -> list[Change]:
        """Plan the change of an existing domain; returns what waits for its next start."""
        plan_rename(plan, self.handle, current)
        apply = self.params["apply"]
        live = LivePlan()
        if current.live is not None and apply != "config":
            live = plan_live(self.handle, current, target, self.desired, self.power.deadline)
        update = Update(configuration_changes(current.stored, target), live)
        plan_update(plan, self.handle, current, target, update, apply)
        plan_autostart(plan, self.handle, current.autostart, self.params["autostart"])
        if update.pending and self.params["allow_restart"] and self._final_state(current.state) != "stopped":
            plan_stop(plan, self.handle, current.state, self.power)
            plan_start(plan, self.handle, paused=self._final_state(current.state) == "paused")
            plan.changes.append(Change("restarted", None, True))
            return []
        self._plan_state(plan, current.state)
        return update.pending if self._final_state(current.state) != "stopped" else []

    def _plan_state(self, plan: Plan, before: str | None) -> None:
        """Plan the power; ``before`` is None for a domain that does not exist yet."""
        now = before or "stopped"
        wanted = self._final_state(now)
        if wanted != now:
            plan.changes.append(Change("state", before, wanted))
            plan_power(plan, self.handle, now, wanted, self.power)

    def _final_state(self, now: str) -> str:
        return now if self.params["state"] == "present" else str(self.params["state"])

    def _result(self, current: Current | None, pending: list[Change]) -> dict[str, Any]:
        autostart = self.params["autostart"]
        return {
            "domain": {
                "name": self.handle.name,
                "uuid": current.uuid if current else self.params["uuid"],
                "state": self._final_state(current.state if current else "stopped"),
                "autostart": (current.autostart if current else False) if autostart is None else autostart,
            },
            **restart_report(pending),
        }
