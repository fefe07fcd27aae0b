# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that all guest modules share, and the variables of a host that stand in for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible import constants

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import AGENTS
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import CONNECTION_ARGUMENTS
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._options import validated

# The doc fragment ``guest`` documents these.
GUEST_ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str"},
    "uuid": {"type": "str"},
    "agent": {"type": "str", "choices": list(AGENTS), "default": "auto"},
    "wait": {"type": "float", "default": 0},
    "agent_timeout": {"type": "float", "default": 30},
}
_CONSTRAINTS: dict[str, list[Any]] = {"mutually_exclusive": [["name", "uuid"]]}

# What says which domain a host of the inventory is; without any, the host's name does.
DOMAIN_VARIABLES = ("ansible_libvirt_domain", "libvirt_uuid", "libvirt_name")
# Options that a task does not name → the variables of its host that are asked, in this order.
OPTION_VARIABLES: dict[str, tuple[str, ...]] = {
    **{option: (f"ansible_libvirt_{option}",) for option in [*CONNECTION_ARGUMENTS, "agent", "wait"]},
    "uri": ("ansible_libvirt_uri", "libvirt_uri"),
    "agent_timeout": ("ansible_libvirt_timeout",),  # as the connection plugin calls it
}

Template = Callable[[Any], Any]


@dataclass(frozen=True)
class InventoryHost:
    """The host of the inventory in whose guest a task works, unless the task names another guest.

    :ivar variables: of this host, not yet templated.
    """

    name: str
    variables: Mapping[str, Any]


def host_of(task_vars: Mapping[str, Any], delegate_to: str | None) -> InventoryHost:
    """The host that a task is for, or the one that it is delegated to.

    The controller has no guest: a task that is delegated to localhost is for its own host.
    """
    delegated = None if delegate_to is None else task_vars.get("ansible_delegated_vars", {}).get(delegate_to)
    if delegate_to is None or delegated is None or delegate_to in constants.LOCALHOST:
        return InventoryHost(str(task_vars.get("inventory_hostname", "")), task_vars)
    return InventoryHost(delegate_to, delegated)


def checked_options(
    given: Mapping[str, Any], arguments: dict[str, Any], constraints: dict[str, Any], variables: dict[str, Any]
) -> dict[str, Any]:
    """A task's options, each of its type, with what the host's variables and the defaults add.

    :param given: what the task names; it wins.
    :param arguments: the module's own argument spec.
    :param variables: of the host, as `option_values` gives them.
    :raises Failure: for what does not fit the spec.
    """
    spec = {**arguments, **GUEST_ARGUMENTS, **CONNECTION_ARGUMENTS}
    merged = {
        name: list(constraints.get(name, [])) + _CONSTRAINTS.get(name, []) for name in {*constraints, *_CONSTRAINTS}
    }
    return validated({**variables, **given}, spec, merged)


def option_values(host: InventoryHost, template: Template) -> dict[str, Any]:
    """What a host's variables say for options that a task does not name.

    :param template: fills in the templates of a variable's value.
    """
    found = {option: _first(host.variables, names, template) for option, names in OPTION_VARIABLES.items()}
    return {option: value for option, value in found.items() if value is not None}


def domain_of(params: Mapping[str, Any], host: InventoryHost, template: Template) -> str:
    """The name or uuid of the domain that a task is about."""
    return str(params["name"] or params["uuid"] or _first(host.variables, DOMAIN_VARIABLES, template) or host.name)


def uri_of(named: str, hostvars: Mapping[str, Any]) -> str:
    """The URI of a daemon that is named by its URI, or by the hypervisor's name in the inventory.

    What the inventory does not know is left to libvirt, which has aliases of its own. A hypervisor that is itself a
    guest of another one has the ``libvirt_uri`` of that, which is not the one that is meant.

    :param hostvars: the variables of all hosts, templated.
    """
    if "://" in named or named not in hostvars:
        return named
    host = hostvars[named]
    if host.get("libvirt_uri") and not host.get("libvirt_uuid"):
        return str(host["libvirt_uri"])
    if host.get("ansible_connection") == "local":
        return "qemu:///system"
    login = f"{host['ansible_user']}@" if host.get("ansible_user") else ""
    port = f":{host['ansible_port']}" if host.get("ansible_port") else ""
    return f"qemu+ssh://{login}{host.get('ansible_host') or named}{port}/system"


def _first(variables: Mapping[str, Any], names: tuple[str, ...], template: Template) -> Any:
    for name in names:
        if variables.get(name) is not None:
            return template(variables[name])
    return None
