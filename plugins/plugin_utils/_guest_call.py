# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call of a method of a guest's agent: the task of the module guest_agent."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure, did_you_mean
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_action import GuestTask

# What only reads, of both agents.
_READS = {
    "ping",
    "file_stat",
    "file_list",
    "file_read",
    "guest-ping",
    "guest-info",
    "guest-network-get-interfaces",
    "guest-network-get-route",
    "guest-fsfreeze-status",
}
_READING_PREFIXES = ("get_", "guest-get-")

# Their bulk data travels beside the answer, or they belong to the session itself.
_NEEDS_MODULE = {
    "exec": "guest_command",
    "exec_signal": "guest_command, whose timeout ends a command",
    "file_get": "guest_fetch",
    "file_put": "guest_copy",
}


def only_reads(method: str) -> bool:
    """Whether a method is known to change nothing in the guest."""
    return method in _READS or method.startswith(_READING_PREFIXES)


class CallMethod(GuestTask):
    """Call the method. Whether it changes something is known of those that only read."""

    def read(self) -> dict[str, Any] | None:
        """The answer of a method that only reads; None for others, which are an action."""
        method = self.params["method"]
        if method in _NEEDS_MODULE:
            raise Failure(f"The method {method} cannot be called alone. Use the module {_NEEDS_MODULE[method]}.")
        known = self.guest.methods
        if known and method not in known:
            raise Failure(
                f"The agent of {self.guest.where} does not have the method {method}, or the guest's policy does not "
                "allow it." + did_you_mean(method, known)
            )
        return self._call() if only_reads(method) else None

    def plan(self, current: dict[str, Any] | None) -> Plan:
        """Nothing for a method that only reads; else the call, which check mode skips."""
        if current is not None:
            return Plan(result=self._result(current))
        plan = Plan(result={"skipped": True, "msg": f"Nobody can tell what {self.params['method']} would change."})
        plan.add(f"call {self.params['method']}", lambda _hypervisor: self._keep(self._call()))
        return plan

    def finish(self, plan: Plan) -> dict[str, Any]:
        """The answer."""
        return self._result(self._answer) if plan.changed else plan.result

    def _call(self) -> dict[str, Any]:
        return self.guest.call(self.params["method"], self.params["params"], self.params["timeout"])

    def _keep(self, answer: dict[str, Any]) -> None:
        self._answer = answer

    def _result(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {"method": self.params["method"], "agent_kind": self.guest.agent, "answer": answer}


def secrets_in(params: Any) -> set[str]:
    """The passwords among the parameters of a call, at any depth, for either agent."""
    if isinstance(params, list):
        return {text for value in params for text in secrets_in(value)}
    if not isinstance(params, dict):
        return set()
    found = {text for value in params.values() for text in secrets_in(value)}
    return found | {str(value) for name, value in params.items() if "password" in str(name).lower() and _is_text(value)}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""
