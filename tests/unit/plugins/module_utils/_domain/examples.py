# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks, and domains of libvirt's test driver."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.resource import Domain
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan
from ansible_collections.kvmmanager.libvirt.plugins.modules.domain import ARGUMENTS


def params(**options: Any) -> dict[str, Any]:
    """A task's options as Ansible hands them over: with defaults, and None for the others."""
    return {**{name: option.get("default") for name, option in ARGUMENTS.items()}, **options}


def xml(name: str, more: str = "") -> str:
    """A small ``<domain>``."""
    return f"<domain type='test'><name>{name}</name><memory>8192</memory><os><type>hvm</type></os>{more}</domain>"


def define(hypervisor: Hypervisor, name: str, more: str = "") -> Any:
    """A stopped domain."""
    return hypervisor.connection.defineXML(xml(name, more))


def plan(hypervisor: Hypervisor, **options: Any) -> Plan:
    """What a task is going to do."""
    task = Domain(params(**options), hypervisor)
    return task.plan(task.read())


def run(hypervisor: Hypervisor, **options: Any) -> Plan:
    """What a task has done."""
    made = plan(hypervisor, **options)
    made.apply(hypervisor)
    return made


def summaries(made: Plan) -> list[str]:
    """The actions."""
    return [action.summary for action in made.actions]
