# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A section of the domain XML: its options, how they are read and patched, and what of them changes live.

Everything that knows one part of a domain is one `Section` in a file of its own under sections/.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Action, Change, Impact, differences
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import Field, patch_fields, read_fields
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element


@dataclass(frozen=True)
class Running:
    """A running domain that is to be brought to a target.

    :ivar handle: for actions, which find the ``libvirt.virDomain`` in it.
    :ivar live: what the domain runs with.
    :ivar stored: its configuration before the task.
    :ivar target: its configuration after the task.
    :ivar options: what the task names.
    :ivar deadline: for waiting, until a device is gone for example.
    :ivar arriving: the devices that planned actions add; planning appends to it.
    """

    handle: Handle
    live: Element
    stored: Element
    target: Element
    options: dict[str, Any]
    deadline: Deadline
    arriving: list[Element] = field(default_factory=list)


@dataclass
class LivePlan:
    """What the running domain takes on now and what only its next start brings.

    :ivar changes: each with its impact and, where that is not live, the reason.
    :ivar actions: the calls for the live ones, in order.
    """

    changes: list[Change] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)


class Section:
    """One part of a domain.

    :cvar arguments: the argument spec of its options, by name.
    """

    arguments: dict[str, Any] = {}

    def defaults(self, facts: Facts, options: dict[str, Any]) -> dict[str, Any]:
        """What a new domain gets of these options where the task, which names ``options``, does not say."""
        return {}

    def read(self, domain: Element) -> dict[str, Any]:
        """The options that ``domain`` holds a value for; lists of devices as dicts by their keys."""
        raise NotImplementedError

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """Change ``domain`` in place so that it has the options that are named; touch nothing else.

        :raises Failure: for options that contradict each other or the domain.
        """
        raise NotImplementedError

    def erase(self, domain: Element) -> None:
        """Take away, in place, whatever `read` reads; what is left has no option of its own."""
        raise NotImplementedError

    def unmatched(self, domain: Element, other: Element) -> list[Element]:
        """The devices of this section that only ``domain`` has, not ``other``."""
        return []

    def plan_live(self, running: Running) -> LivePlan:
        """What the running domain takes on now; by default nothing, all waits for the next start."""
        plan = LivePlan()
        for change in self.live_differences(running):
            plan.changes.append(next_boot(change, "libvirt reads it when the domain starts"))
        return plan

    def live_differences(self, running: Running) -> list[Change]:
        """Where the running domain differs from the target, among what the task names or changes."""
        stored, target = self.read(running.stored), self.read(running.target)
        named = [
            option
            for option in self.arguments
            if option in running.options or "xml" in running.options or stored.get(option) != target.get(option)
        ]
        live = self.read(running.live)
        return differences(only(live, named), only(target, named))


class FieldSection(Section):
    """A section that a table of fields describes in full.

    :cvar fields: the table; places are below ``<domain>``.
    """

    fields: tuple[Field, ...] = ()

    def read(self, domain: Element) -> dict[str, Any]:
        """See `Section.read`."""
        return read_fields(domain, self.fields)

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """See `Section.patch`."""
        patch_fields(domain, self.fields, options)

    def erase(self, domain: Element) -> None:
        """See `Section.erase`."""
        for item in self.fields:
            item.erase(domain)


def only(options: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The options of these names, as far as they are there."""
    return {name: options[name] for name in names if name in options}


def next_boot(change: Change, reason: str) -> Change:
    """The change, put off to the next start of the domain."""
    return Change(change.path, change.before, change.after, Impact.NEXT_BOOT, reason)
