# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The domain of a task: from its options to a plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.checks import (
    check_options,
    check_removal,
    check_wait_for,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.configuration import (
    configuration_changes,
    target_configuration,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts, read_facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.hotplug import LivePlan, plan_live
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.leases import (
    NO_LEASES,
    Leases,
    finite_leases,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import (
    Current,
    Handle,
    find_domain,
    read_domain,
    require_free_name,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.planning import (
    Update,
    plan_autostart,
    plan_definition,
    plan_rename,
    plan_update,
    put_off,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.power import (
    Power,
    plan_after_crash,
    plan_power,
    plan_start,
    plan_stop,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.readiness import (
    require_interface,
    wait_until_ready,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.removal import (
    Doomed,
    Removal,
    find_doomed,
    plan_removal,
    require_own_variables,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.ties import find_ties, has_saved_memory
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, Plan, restart_report
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import Resource, named
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse, text_at


@dataclass(frozen=True)
class Reading:
    """All that the planner needs to know, read before it plans.

    :ivar current: None where the domain does not exist.
    :ivar facts: what the host can do and what the options refer to; none when the domain is to be absent.
    :ivar leases: those from before a start that the task makes and whose guest it waits for.
    :ivar doomed: the volumes that go with the domain when it is to be absent.
    :ivar ties: what else would be lost with it, in words.
    """

    current: Current | None
    facts: Facts = field(default_factory=Facts)
    leases: Leases = NO_LEASES
    doomed: list[Doomed] = field(default_factory=list)
    ties: list[str] = field(default_factory=list)


class Domain(Resource):
    """A domain: its stored configuration, its running state, and what changes either."""

    def __init__(self, params: dict[str, Any], hypervisor: Hypervisor) -> None:
        super().__init__(params, hypervisor)
        self.desired = named(params)
        self.power = Power(Deadline(params["timeout"]), params["force"])
        self.handle = Handle(name="")
        self.old_leases = NO_LEASES

    def read(self) -> Reading:
        """The domain, and what else the options need; see `Reading`."""
        name, uuid = self._identity()
        found = find_domain(self.hypervisor, name, uuid)
        current = None if found is None else read_domain(self.hypervisor, found)
        self.handle = Handle(name or (current.name if current else ""), found)
        if self.params["state"] == "absent":
            return self._read_for_removal(current, name)
        if not self.handle.name:
            raise Failure(f"There is no domain {uuid} on {self.hypervisor.uri}; to create it, give its name too.")
        if current is not None and current.name != self.handle.name:
            require_free_name(self.hypervisor, self.handle.name, current)
        facts = read_facts(self.hypervisor, self.desired, current.stored if current else None)
        return Reading(current, facts, self._leases_before(current))

    def plan(self, current: Reading) -> Plan:
        """The plan that brings the domain to what the task says."""
        plan = Plan()
        if self.params["state"] == "absent":
            self._plan_absence(plan, current)
            return plan
        before = current.current.state if current.current else "stopped"
        check_options(self.params, bool(current.current and current.current.active), self._final_state(before))
        target = target_configuration(current.current.stored if current.current else None, self.desired, current.facts)
        if "address" in self.params["wait_for"]:
            live = None if current.current is None else current.current.live
            require_interface(self.handle.name, target, live)
        if current.current is None:
            self._plan_creation(plan, target)
            plan.result = self._result(None, self._final_state("stopped"), [])
        else:
            plan.result = self._plan_change(plan, current.current, target)
            self.old_leases = current.leases if _is_started(plan, current.current) else NO_LEASES
        return plan

    def finish(self, plan: Plan) -> dict[str, Any]:
        """The result with the uuid that libvirt chose, and the addresses where the task waits for one."""
        if plan.result["domain"] is None:
            return plan.result
        known = {"uuid": self.handle.domain.UUIDString()}
        result = {**plan.result, "domain": {**plan.result["domain"], **known}}
        if self.params["wait_for"]:
            ready = (self.handle, self.params["wait_for"], self.power.deadline, self.old_leases)
            result.update(wait_until_ready(self.hypervisor, *ready))
        return result

    def _identity(self) -> tuple[str | None, str | None]:
        """Name and uuid, from the options or else from the raw XML."""
        name, uuid = self.params["name"], self.params["uuid"]
        if self.params["xml"] is not None:
            root = parse(self.params["xml"], "The option xml")
            if root.tag != "domain":
                raise Failure(f"The option xml holds a <{root.tag}>, not the <domain> of a virtual machine.")
            name, uuid = name or text_at(root, "name"), uuid or text_at(root, "uuid")
            if not (name or uuid):
                raise Failure("The option xml does not say which domain it is: give name, or put a <name> in the XML.")
        return name or None, uuid or None

    def _leases_before(self, current: Current | None) -> Leases:
        """The leases before the start that the task may make, where it then waits for an address."""
        if current is None or "address" not in self.params["wait_for"]:
            return NO_LEASES
        if current.active and current.state != "crashed" and not self.params["allow_restart"]:
            return NO_LEASES
        if not current.active and has_saved_memory(self.hypervisor, current.domain):
            return NO_LEASES  # its guest goes on, and need not ask again
        return finite_leases(self.hypervisor, current.stored if current.live is None else current.live)

    def _read_for_removal(self, current: Current | None, name: str | None) -> Reading:
        check_wait_for(self.params)
        if current is None:
            return Reading(None)
        ties = find_ties(self.hypervisor, current.domain) if current.persistent and not self.power.force else []
        check_removal(current, name, ties, self.power.force)
        if self.params["nvram"] == "delete":
            require_own_variables(self.hypervisor, current)
        return Reading(current, doomed=find_doomed(self.hypervisor, current, tuple(self.desired["remove_disks"])))

    def _plan_absence(self, plan: Plan, reading: Reading) -> None:
        if reading.current is not None:
            removal = Removal(self.params["nvram"] or "keep", self.params["tpm_state"] or "keep")
            plan_removal(plan, reading.current, removal, reading.doomed, self.power)
        plan.result = {"domain": None, **restart_report([])}

    def _plan_creation(self, plan: Plan, target: Element) -> None:
        plan_definition(plan, self.handle, target)
        plan_autostart(plan, self.handle, None, self.params["autostart"])
        self._plan_state(plan, None)

    def _plan_change(self, plan: Plan, current: Current, target: Element) -> dict[str, Any]:
        """Plan the change of an existing domain; returns the result."""
        plan_rename(plan, self.handle, current)
        apply = self.params["apply"]
        update = Update(configuration_changes(current.stored, target), self._live_part(current, target))
        plan_update(plan, self.handle, current, target, update, apply)
        plan_autostart(plan, self.handle, current.autostart, self.params["autostart"])
        if update.pending and self.params["allow_restart"]:
            return self._result(current, self._plan_restart(plan, current), [])
        outdated = self._has_outdated_memory(current, update)
        state = self._final_state(current.state)
        if outdated and state != "stopped":
            self._require_force_to_discard_memory(current)
        self._plan_state(plan, current.state, afresh=outdated)
        warnings = {"warnings": [_outdated_memory(current)]} if outdated and state == "stopped" else {}
        return {**self._result(current, state, update.pending), **warnings}

    def _plan_restart(self, plan: Plan, current: Current) -> str:
        """Plan to stop and start; returns the state after it: a guest that is asleep or has crashed runs then."""
        after = "paused" if self._final_state(current.state) == "paused" else "running"
        if current.state == "crashed":
            plan_after_crash(plan, self.handle, self.power)
        else:
            plan_stop(plan, self.handle, current.state, self.power)
        plan_start(plan, self.handle, self.power, paused=after == "paused")
        plan.changes.append(Change("restarted", None, True))
        if after != current.state:
            plan.changes.append(Change("state", current.state, after))
        return after

    def _live_part(self, current: Current, target: Element) -> LivePlan:
        """What the running domain takes on; nothing where its QEMU process ends in this task anyway."""
        final = self._final_state(current.state)
        if not current.active or final == "stopped" or (current.state == "crashed" and final != "crashed"):
            return LivePlan()
        live = plan_live(self.handle, current, target, self.desired, self.power.deadline)
        if self.params["apply"] == "config":
            return put_off(live, "apply=config leaves the running domain as it is")
        return put_off(live, "its guest has crashed") if current.state == "crashed" else live

    def _has_outdated_memory(self, current: Current, update: Update) -> bool:
        """Whether the domain was saved with another configuration; looked at only where the task changes that."""
        changes = not current.active and bool(update.stored)
        return changes and has_saved_memory(self.hypervisor, current.domain)

    def _require_force_to_discard_memory(self, current: Current) -> None:
        if not self.power.force:
            raise Failure(
                f"The domain '{current.name}' would go on from its saved memory, without the changes of this task. "
                "Nothing was changed. Start it and shut it down first, or set force=true to discard that memory."
            )

    def _plan_state(self, plan: Plan, before: str | None, afresh: bool = False) -> None:
        """Plan the power; ``before`` is None for a domain that does not exist yet."""
        now = before or "stopped"
        wanted = self._final_state(now)
        if wanted != now:
            plan.changes.append(Change("state", before, wanted))
            plan_power(plan, self.handle, now, wanted, self.power, afresh)

    def _final_state(self, now: str) -> str:
        return now if self.params["state"] == "present" else str(self.params["state"])

    def _result(self, current: Current | None, state: str, pending: list[Change]) -> dict[str, Any]:
        autostart = self.params["autostart"]
        return {
            "domain": {
                "name": self.handle.name,
                "uuid": current.uuid if current else self.params["uuid"],
                "state": state,
                "autostart": (current.autostart if current else False) if autostart is None else autostart,
            },
            **restart_report(pending),
        }


def _is_started(plan: Plan, current: Current) -> bool:
    """Whether a plan that ends with a running domain starts it."""
    restarts = any(change.path == "restarted" for change in plan.changes)
    return restarts or not current.active or current.state == "crashed"


def _outdated_memory(current: Current) -> str:
    return (
        f"The domain '{current.name}' has saved memory. Its next start goes on from there with the configuration of "
        "that time; what this task changed waits until it was shut down once more. To be rid of that memory: "
        f"virsh managedsave-remove {current.name}"
    )
