# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner of the guest modules: they run on the controller, as action plugins, and talk to a guest's agent.

It is to them what _task.py is to modules: the only reader of check mode and diff, and the only one that makes a result.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, ClassVar

from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import Guest, GuestError, open_guest
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import (
    ConnectionOptions,
    Hypervisor,
    connect,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan, render_diff
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import Resource, perform
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_options import (
    InventoryHost,
    checked_options,
    domain_of,
    host_of,
    option_values,
    uri_of,
)
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._untrusted import untrusted


class Context:
    """What a task on a guest works with.

    :ivar params: the task's options.
    :ivar domain: name or uuid of the domain.
    :ivar host: the name that the inventory has for the host whose guest this is.
    :ivar diff: whether a diff is wanted.
    :ivar find: the path of a file of the controller that a task names, as the lookup of Ansible's own copy finds it.
    :ivar near: the path of a file of the controller that a task is going to write, relative to the playbook.
    :ivar real_file: the path of a file that holds what is in another, without its encryption by Ansible Vault.
    :ivar show: shows a person a line while the task runs, where that was asked for.
    """

    def __init__(self, params: dict[str, Any], hypervisor: Hypervisor, domain: str, host: str = "") -> None:
        self.params = params
        self.hypervisor = hypervisor
        self.domain = domain
        self.host = host
        self.diff = False
        self.find: Callable[[str], str] = str
        self.near: Callable[[str], str] = str
        self.real_file: Callable[[str], str] = str
        self.show: Callable[[str], None] = lambda _line: None
        self._sessions = contextlib.ExitStack()
        self._guest: Guest | None = None

    @property
    def guest(self) -> Guest:
        """The session with the guest's agent; opened when it is first needed.

        :raises Failure: when there is none to be had.
        """
        if self._guest is None:
            self._guest = self.open(self.params["wait"])
        return self._guest

    def open(self, wait: float) -> Guest:
        """Another session, when the one before has been closed. It lasts until `close`."""
        agent, timeout = self.params["agent"], self.params["agent_timeout"]
        opening = open_guest(self.hypervisor, self.domain, agent, wait, timeout)
        return self._sessions.enter_context(opening)

    def close(self) -> None:
        """End the session, if there is one."""
        self._guest = None
        self._sessions.close()


class GuestTask(Resource):
    """A `Resource` in a guest."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.params, context.hypervisor)
        self.context = context

    @property
    def guest(self) -> Guest:
        """See `Context.guest`."""
        return self.context.guest

    def require(self, ours: str, qemu: str) -> None:
        """Find out, in check mode, too, whether the guest's policy allows what the task is going to do.

        :param ours: the method of kvmmanager-agent; ``qemu``: the command of qemu-guest-agent.
        :raises GuestError: when it does not.
        """
        method, program = (ours, "kvmmanager-agent") if self.guest.agent == "kvmmanager" else (qemu, "qemu-guest-agent")
        if self.guest.methods and method not in self.guest.methods:
            raise GuestError(
                wire.DENIED,
                f"The policy of {self.guest.where} does not allow {method}. Allow it in the guest, in the "
                f"configuration of {program}.",
            )

    def diff(self, plan: Plan) -> Any:
        """The ``diff`` of the task's result."""
        return render_diff(plan.changes)


class GuestAction(ActionBase):
    """An action plugin that works in a guest. A subclass names its options and its task.

    :cvar arguments: the module's own argument spec; those of guest and connection are added.
    :cvar constraints: ``mutually_exclusive`` … of `ArgumentSpecValidator`.
    """

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    arguments: ClassVar[dict[str, Any]] = {}
    constraints: ClassVar[dict[str, Any]] = {}
    task: ClassVar[type[GuestTask]]

    @classmethod
    def secrets(cls, params: dict[str, Any]) -> set[str]:
        """Texts among the options that no result and no message may show, besides the connection's password."""
        return set()

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The task's result; Ansible calls this."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        params: dict[str, Any] = {}
        variables = task_vars or {}
        host = host_of(variables, self._task.delegate_to)
        template = self._templar.copy_with_new_env(available_variables=host.variables).template
        try:
            given = option_values(host, template)
            params = checked_options(self._task.args, self.arguments, self.constraints, given)
            params["uri"] = uri_of(params["uri"], variables.get("hostvars", {}))
            outcome = self._outcome(params, host, domain_of(params, host, template))
        except Failure as failure:
            outcome = {**failure.result, "failed": True, "msg": failure.message + _advice(failure, params)}
        hidden = {text for text in (params.get("password"), *self.secrets(params)) if text}
        return {**result, **untrusted(remove_values(outcome, hidden) if hidden else outcome)}

    def _outcome(self, params: dict[str, Any], host: InventoryHost, domain: str) -> dict[str, Any]:
        with connect(ConnectionOptions.from_params(params), read_only=self._task.check_mode) as hypervisor:
            context = Context(params, hypervisor, domain, host.name)
            self._equip(context)
            with contextlib.closing(context):
                task = self.task(context)
                plan, result = perform(task, self._task.check_mode)
        if context.diff:
            result = {**result, "diff": task.diff(plan)}
        changed = plan.changed and not result.get("skipped")
        return {"changed": changed, **result}

    def _equip(self, context: Context) -> None:
        """Lend the task what it needs of Ansible. A task with ``no_log`` shows nothing of what it works with."""
        context.diff = self._task.diff and not self._task.no_log
        context.find = lambda path: str(self._find_needle("files", path))
        context.near = self._loader.path_dwim
        context.real_file = self._loader.get_real_file
        if not self._task.no_log:
            display = Display()
            context.show = lambda line: display.v(f"{context.host}: {line}")

    def cleanup(self, force: bool = False) -> None:
        """Remove the temporary copies of files that Ansible Vault had encrypted; Ansible calls this at the end."""
        self._loader.cleanup_all_tmp_files()
        super().cleanup(force)


def _advice(failure: Failure, params: dict[str, Any]) -> str:
    """What allows more time to a task that took too long, unless the message says it."""
    causes = [one for one in (failure, failure.__cause__) if isinstance(one, GuestError)]
    if "timeout" not in params or "(timeout)" in failure.message or all(one.code != wire.TIMED_OUT for one in causes):
        return ""
    return f" The task has {params['timeout']:g} seconds (timeout): allow more, or look at what the guest is busy with."
