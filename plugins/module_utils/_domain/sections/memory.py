# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Memory: how much the guest has, and the most it can have while it runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import (
    FieldSection,
    LivePlan,
    Running,
    next_boot,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Action, Change
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._units import Size, unit_factor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import SizeField
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element

# libvirt's <memory> is what the guest boots with at most, <currentMemory> what the balloon leaves it.
_MOST = SizeField("max_memory", "memory")
_CURRENT = SizeField("memory", "currentMemory")
_MIB = 1024 * 1024


class Memory(FieldSection):
    """Memory and maximum memory. The balloon moves the former live, within the latter."""

    arguments = {"memory": {"type": "str"}, "max_memory": {"type": "str"}}
    fields = (_MOST, _CURRENT)

    def defaults(self, facts: Facts, options: dict[str, Any]) -> dict[str, Any]:
        """A new domain has 1 GiB."""
        return {"memory": "1 GiB"}

    def read(self, domain: Element) -> dict[str, Any]:
        """See `Section.read`; without ``<currentMemory>`` the guest has all."""
        most = _MOST.read(domain)
        return {} if most is None else {"memory": _CURRENT.read(domain) or most, "max_memory": most}

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """See `Section.patch`; a memory above the maximum raises the maximum, unless that is named too.

        The cells of a NUMA topology make the maximum, whatever else the XML says.
        """
        now = self.read(domain)
        wanted = {name: _memory(_field(name).clean(options[name]), name) for name in self.arguments if name in options}
        if not wanted:
            return
        before = _of_cells(domain) or now.get("max_memory", 0)
        most = wanted.get("max_memory", max(before, wanted.get("memory", 0)))
        memory = wanted.get("memory", now.get("memory", most))
        if memory > most:
            sizes = f"memory ({Size(memory)}) is more than max_memory ({Size(most)})"
            raise Failure(f"{sizes}: name both, so that max_memory is no less.")
        if most != before and _of_cells(domain):
            raise Failure(
                f"The NUMA cells of the domain (cpu/numa in its XML) make up {Size(before)} of memory, which memory "
                f"and max_memory cannot turn into {Size(most)}: change the cells, with the option xml."
            )
        for item, value in ((_MOST, most), (_CURRENT, memory)):
            if item.read(domain) != value:
                item.write(domain, value)

    def live_differences(self, running: Running) -> list[Change]:
        """See `Section.live_differences`. A maximum that the memory raises belongs to it, in each run."""
        options = running.options
        short = "memory" in options and self.read(running.target)["memory"] > self.read(running.live)["max_memory"]
        implied = {"max_memory": None} if short else {}
        return super().live_differences(replace(running, options={**implied, **options}))

    def plan_live(self, running: Running) -> LivePlan:
        """See `Section.plan_live`.

        The balloon shows how much memory the guest has given back, not how much it was asked for. A guest without
        the driver never does, so only a change of the configuration is a reason to ask.
        """
        plan = LivePlan()
        most = self.read(running.live)["max_memory"]
        asked = self.read(running.stored).get("memory") != self.read(running.target)["memory"]
        for change in self.live_differences(running):
            if whole_mib(change.before) == whole_mib(change.after):
                continue
            if change.path == "max_memory":
                plan.changes.append(next_boot(change, "the maximum is fixed while the domain runs"))
            elif change.after > most:
                reason = f"the running domain cannot have more than {most}, its maximum since its start"
                plan.changes.append(next_boot(change, reason))
            elif asked:
                plan.changes.append(change)
                plan.actions.append(_set_memory(running, change.after))
        return plan


def _of_cells(domain: Element) -> Size | None:
    """What libvirt adds the memory up to in a domain with NUMA cells; None in one without."""
    cells = [(cell.get("memory", "0"), cell) for cell in domain.iterfind("cpu/numa/cell")]
    modules = [(size.text or "0", size) for size in domain.iterfind("devices/memory/target/size")]
    sizes = [int(number) * (unit_factor(element.get("unit", "KiB")) or 1) for number, element in cells + modules]
    return Size(sum(sizes)) if cells else None


def _field(option: str) -> SizeField:
    return _MOST if option == "max_memory" else _CURRENT


def whole_mib(size: int) -> Size:
    """What a domain really starts with: libvirt rounds its memory up to whole MiB."""
    return Size(-(-size // _MIB) * _MIB)


def _memory(size: Size, option: str) -> Size:
    """The size as libvirt will have it, for otherwise stored and running domain would differ for ever."""
    if size < _MIB:
        raise Failure(f"{option}: {size} is too little to be memory; did you forget the unit, as in 2 GiB?")
    return whole_mib(size)


def _set_memory(running: Running, size: int) -> Action:
    handle = running.handle

    def run(hypervisor: Hypervisor) -> None:
        doing = f"set the memory of the running domain '{handle.name}'"
        hypervisor.call(doing, handle.domain.setMemoryFlags, size // 1024, libvirt.VIR_DOMAIN_AFFECT_LIVE)

    return Action(f"set the memory of the running domain to {Size(size)}", run)


SECTION = Memory()
