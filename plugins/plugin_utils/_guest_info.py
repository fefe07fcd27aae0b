# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking a guest about itself: the task of the module guest_info."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import GuestError
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_action import GuestTask

TOPICS = ("system", "network", "disks", "metrics", "processes", "sessions", "agent")
_CANNOT = (wire.UNSUPPORTED, wire.DENIED, wire.METHOD_NOT_FOUND)


class Ask(GuestTask):
    """Gather what is asked for. What this guest's agent cannot or may not tell is warned about."""

    def read(self) -> dict[str, Any]:
        """The answers by topic."""
        answers: dict[str, Any] = {"agent_kind": self.guest.agent}
        warnings = []
        for topic in self.params["gather"]:
            try:
                answers[topic] = self.guest.info(topic)
            except GuestError as error:
                if error.code not in _CANNOT:
                    raise
                answers[topic] = None
                warnings.append(error.message)
        return {**answers, "warnings": warnings} if warnings else answers

    def plan(self, current: dict[str, Any]) -> Plan:
        """Nothing to do."""
        return Plan(result=current)
