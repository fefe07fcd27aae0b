# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that all guest modules share, and the variables of a host that stand in for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import AGENTS
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import CONNECTION_ARGUMENTS

# The doc fragment ``guest`` documents these.
GUEST_ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str"},
    "uuid": {"type": "str"},
    "agent": {"type": "str", "choices": list(AGENTS), "default": "auto"},
    "wait": {"type": "float", "default": 0},
}
_CONSTRAINTS: dict[str, list[Any]] = {"mutually_exclusive": [["name", "uuid"]]}

# What says which domain a host of the inventory is; without any, the host's name does.
DOMAIN_VARIABLES = ("ansible_libvirt_domain", "libvirt_uuid", "libvirt_name")
# Options that a task does not name → the variables of its host that are asked, in this order.
OPTION_VARIABLES: dict[str, tuple[str, ...]] = {
    **{option: (f"ansible_libvirt_{option}",) for option in [*CONNECTION_ARGUMENTS, "agent", "wait"]},
    "uri": ("ansible_libvirt_uri", "libvirt_uri"),
}

Template = Callable[[Any], Any]


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
    validator = ArgumentSpecValidator(spec, **merged)
    result = validator.validate({**variables, **given})
    if result.error_messages:
        raise Failure("; ".join(result.error_messages) + ".")
    return dict(result.validated_parameters)


def option_values(task_vars: Mapping[str, Any], template: Template) -> dict[str, Any]:
    """What a host's variables say for options that a task does not name.

    :param template: fills in the templates of a variable's value.
    """
    found = {option: _first(task_vars, names, template) for option, names in OPTION_VARIABLES.items()}
    return {option: value for option, value in found.items() if value is not None}


def domain_of(params: Mapping[str, Any], task_vars: Mapping[str, Any], template: Template) -> str:
    """The name or uuid of the domain that a task is about."""
    named = params["name"] or params["uuid"] or _first(task_vars, DOMAIN_VARIABLES, template)
    return str(named or task_vars.get("inventory_hostname", ""))


def _first(task_vars: Mapping[str, Any], names: tuple[str, ...], template: Template) -> Any:
    for name in names:
        if task_vars.get(name) is not None:
            return template(task_vars[name])
    return None
