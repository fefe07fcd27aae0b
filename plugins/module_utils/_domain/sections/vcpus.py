# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Virtual CPUs: how many the guest has, how many it can have, and how they are arranged."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import (
    LivePlan,
    Running,
    Section,
    next_boot,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Action, Change
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import (
    INTEGER,
    Field,
    patch_fields,
    read_fields,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, child, remove

_MOST = Field("max_vcpus", "vcpu", INTEGER)
_CURRENT = Field("vcpus", "vcpu@current", INTEGER)
_TOPOLOGY = tuple(Field(name, f"cpu/topology@{name}", INTEGER) for name in ("sockets", "cores", "threads"))


class Vcpus(Section):
    """vCPUs, their maximum and topology. A running domain can get more vCPUs, up to its maximum."""

    arguments = {
        "vcpus": {"type": "int"},
        "max_vcpus": {"type": "int"},
        "topology": {"type": "dict", "options": {field.option: {"type": "int"} for field in _TOPOLOGY}},
    }

    def defaults(self, facts: Facts, options: dict[str, Any]) -> dict[str, Any]:
        """A new domain has one, or all that its topology makes."""
        return {"vcpus": math.prod(options.get("topology", {}).values())}

    def read(self, domain: Element) -> dict[str, Any]:
        """See `Section.read`; without ``current`` the guest has all."""
        most = _MOST.read(domain) or 1  # libvirt's own default
        topology = read_fields(domain, _TOPOLOGY)
        view = {"vcpus": _CURRENT.read(domain) or most, "max_vcpus": most}
        return {**view, "topology": topology} if topology else view

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """See `Section.patch`; more vCPUs than the maximum raise the maximum, unless that is named too."""
        if not any(option in options for option in self.arguments):
            return
        now = self.read(domain)
        if "topology" in options:
            _patch_topology(domain, options["topology"])
        made = _product(domain)
        named = options.get("vcpus", 1)
        implied = made if made is not None and "topology" in options else max(now["max_vcpus"], named)
        most: int = options.get("max_vcpus", implied)
        had_all = now["vcpus"] == now["max_vcpus"]
        follows = "topology" in options and "max_vcpus" not in options  # the maximum is the topology's
        vcpus: int = options.get("vcpus", most if follows and had_all else now["vcpus"])
        _check(vcpus, most, made)
        if (vcpus, most) != (now["vcpus"], now["max_vcpus"]):
            _write(domain, vcpus, most)

    def erase(self, domain: Element) -> None:
        """See `Section.erase`."""
        for item in (_CURRENT, _MOST, *_TOPOLOGY):
            item.erase(domain)

    def live_differences(self, running: Running) -> list[Change]:
        """See `Section.live_differences`. A maximum that other options raise is theirs, in each run."""
        options = running.options
        short = "vcpus" in options and self.read(running.target)["vcpus"] > self.read(running.live)["max_vcpus"]
        implied = {"max_vcpus": None} if short or "topology" in options else {}
        return super().live_differences(replace(running, options={**implied, **options}))

    def plan_live(self, running: Running) -> LivePlan:
        """See `Section.plan_live`."""
        plan = LivePlan()
        most = self.read(running.live)["max_vcpus"]
        for change in self.live_differences(running):
            reason = _why_not_live(change, most)
            if reason:
                plan.changes.append(next_boot(change, reason))
            else:
                plan.changes.append(change)
                plan.actions.append(_set_vcpus(running, change.after))
        return plan


def _patch_topology(domain: Element, topology: dict[str, int]) -> None:
    for name, count in topology.items():
        if count < 1:
            raise Failure(f"topology: {name} must be at least 1, not {count}.")
    now = read_fields(domain, _TOPOLOGY)
    patch_fields(domain, _TOPOLOGY, {**{field.option: 1 for field in _TOPOLOGY}, **now, **topology})


def _product(domain: Element) -> int | None:
    """How many vCPUs the topology makes; None without one."""
    found = domain.find("cpu/topology")
    if found is None:
        return None
    made = 1
    for name in ("sockets", "dies", "clusters", "cores", "threads"):
        made *= int(found.get(name, "1"))
    return made


def _check(vcpus: int, most: int, made: int | None) -> None:
    if vcpus < 1:
        raise Failure(f"vcpus: a domain needs at least 1 vCPU, not {vcpus}.")
    if vcpus > most:
        raise Failure(f"vcpus ({vcpus}) is more than max_vcpus ({most}): name both, so that max_vcpus is no less.")
    if made is not None and made != most:
        raise Failure(
            f"topology makes {made} vCPUs, but max_vcpus is {most}: sockets × cores × threads must be max_vcpus."
        )


def _write(domain: Element, vcpus: int, most: int) -> None:
    element = child(domain, "vcpu")
    element.text = str(most)
    element.attrib.pop("current", None)
    if vcpus != most:
        element.set("current", str(vcpus))
    # A list of single vCPUs, which libvirt writes after a hot-plug, would contradict the new number.
    remove(domain, "vcpus")


def _why_not_live(change: Change, most: int) -> str:
    if change.path != "vcpus":
        return "it is fixed while the domain runs"
    if change.after > most:
        return f"the running domain cannot have more than {most} vCPUs, its maximum since its start"
    if change.after < change.before:
        return "a running guest does not reliably give vCPUs back"
    return ""


def _set_vcpus(running: Running, count: int) -> Action:
    handle = running.handle

    def run(hypervisor: Hypervisor) -> None:
        doing = f"add vCPUs to the running domain '{handle.name}'"
        hypervisor.call(doing, handle.domain.setVcpusFlags, count, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    return Action(f"give the running domain {count} vCPUs", run)


SECTION = Vcpus()
