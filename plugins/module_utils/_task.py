# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner of every module: the only reader of check mode and diff, the only caller of exit_json.

A resource module says what it manages by three steps, none of which changes anything:

- ``read(hypervisor)`` → what libvirt holds now, or None where there is nothing;
- ``plan(current)`` → a `Plan`: changes, actions, and the result that the task will have;
- the runner applies the plan, unless in check mode, and answers.
"""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule, env_fallback

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import (
    ConnectionOptions,
    Hypervisor,
    connect,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan, render_diff

# The doc fragment ``connection`` documents these.
CONNECTION_ARGUMENTS: dict[str, Any] = {
    "uri": {"type": "str", "default": "qemu:///system", "fallback": (env_fallback, ["LIBVIRT_DEFAULT_URI"])},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "tls_pki_path": {"type": "path"},
    "tls_verify": {"type": "bool", "default": True},
    "ssh_key_file": {"type": "path"},
    "ssh_known_hosts": {"type": "path"},
    "connect_timeout": {"type": "float", "default": 30},
    "call_timeout": {"type": "float", "default": 120},
    "keepalive_interval": {"type": "int", "default": 5},
}


class Resource(abc.ABC):
    """One thing that a task manages, from the task's options.

    :param params: the task's options as Ansible checked them.
    :param hypervisor: an open connection; read-only in check mode.
    """

    def __init__(self, params: dict[str, Any], hypervisor: Hypervisor) -> None:
        self.params = params
        self.hypervisor = hypervisor

    @abc.abstractmethod
    def read(self) -> Any:
        """What libvirt holds now; None where the resource does not exist."""

    @abc.abstractmethod
    def plan(self, current: Any) -> Plan:
        """What is to be done; its ``result`` is what the task returns once it is done."""

    def finish(self, plan: Plan) -> dict[str, Any]:
        """The result after the plan was applied, also when there was nothing to apply; not called in check mode.

        Override it to wait for something, or where only the daemon knows a part of the result (a new uuid, say).
        """
        return plan.result


def run_resource(
    arguments: dict[str, Any],
    resource: Callable[[dict[str, Any], Hypervisor], Resource],
    needs_hypervisor: Callable[[dict[str, Any]], bool] = lambda _params: True,
    secrets: Callable[[dict[str, Any]], set[str]] | None = None,
    **constraints: Any,
) -> None:
    """Be the ``main()`` of a module that manages a resource. Does not return.

    :param arguments: the module's own argument spec; the connection's is added.
    :param needs_hypervisor: whether these options need libvirt at all (writing a file does not); where not,
        the resource must not touch its hypervisor: it has none.
    :param secrets: for options that are hidden whole (``no_log``) although they hold more than secrets: what of
        these options results must not show. Without it they hide every word that such an option has.
    :param constraints: ``required_if``, ``mutually_exclusive`` … of `AnsibleModule`.
    """
    module = _module(arguments, constraints)
    if secrets is not None:
        _hide_only(module, secrets(module.params))
    opened: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    try:
        if needs_hypervisor(module.params):
            opened = connect(ConnectionOptions.from_params(module.params), read_only=module.check_mode)
        with opened as hypervisor:
            plan, result = perform(resource(module.params, hypervisor), module.check_mode)
    except Failure as failure:
        module.fail_json(msg=failure.message, **failure.result)
    if module._diff:
        result = {**result, "diff": render_diff(plan.changes)}
    _exit(module, plan.changed, result)


def perform(resource: Resource, check_mode: bool) -> tuple[Plan, dict[str, Any]]:
    """Read, plan and, unless in check mode, apply; the plan and the task's result.

    Action plugins, which have no `AnsibleModule`, call this themselves.

    :raises Failure: the first that is met.
    """
    plan = resource.plan(resource.read())
    if check_mode:
        return plan, plan.result
    plan.apply(resource.hypervisor)
    return plan, resource.finish(plan)


def run_info(
    arguments: dict[str, Any], collect: Callable[[dict[str, Any], Hypervisor], dict[str, Any]], **constraints: Any
) -> None:
    """Be the ``main()`` of a module that only reads. The connection is read-only. Does not return.

    :param collect: from the task's options and the connection to what the task returns; sentences under
        ``warnings`` are shown as Ansible's own.
    """
    module = _module(arguments, constraints)
    try:
        with connect(ConnectionOptions.from_params(module.params), read_only=True) as hypervisor:
            result = collect(module.params, hypervisor)
    except Failure as failure:
        module.fail_json(msg=failure.message, **failure.result)
    _exit(module, False, result)


def _exit(module: AnsibleModule, changed: bool, result: dict[str, Any]) -> None:
    for warning in result.get("warnings", ()):
        module.warn(warning)
    module.exit_json(changed=changed, **{key: value for key, value in result.items() if key != "warnings"})


def named(params: Any) -> Any:
    """Only what the user named: options that are None fall away, at every depth."""
    if isinstance(params, dict):
        return {key: named(value) for key, value in params.items() if value is not None}
    if isinstance(params, list):
        return [named(value) for value in params]
    return params


def _hide_only(module: AnsibleModule, secrets: set[str]) -> None:
    """Let results hide these texts and the connection's password; the log goes on hiding whole options."""
    password = module.params["password"]
    module.no_log_values = secrets | ({password} if password else set())


def _module(arguments: dict[str, Any], constraints: dict[str, Any]) -> AnsibleModule:
    return AnsibleModule({**arguments, **CONNECTION_ARGUMENTS}, supports_check_mode=True, **constraints)
