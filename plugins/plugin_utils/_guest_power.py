# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shutting a guest down and starting it again, from its inside: the task of the module guest_power."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import (
    GuestError,
    GuestUnreachable,
    find_guest_domain,
    open_guest,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.events import DomainEvents
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_action import Context, GuestTask

# libvirt tells nothing of our agent's port, nor when a guest starts another kernel by itself (kexec): between events
# the guest is looked at again, ever less often.
_FIRST_PAUSE = 1.0  # seconds
_LONGEST_PAUSE = 5.0
_HANDSHAKE = 10.0  # seconds for an agent that has its port open


class SwitchPower(GuestTask):
    """Bring the guest to the state that is asked for, and wait until it is there."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._deadline = Deadline(self.params["timeout"])
        self._domain = find_guest_domain(context.hypervisor, context.domain)

    def read(self) -> bool:
        """Whether the domain runs. If so, an agent must be there that takes the order: check mode looks, too."""
        if not self._is_on():
            return False
        self.require(self.params["state"], "guest-shutdown")
        return True

    def plan(self, current: bool) -> Plan:
        """The order, unless the guest is off already."""
        state = self.params["state"]
        plan = Plan(result={"name": self._domain.name(), "state": "off" if state == "shutdown" else "on"})
        if state == "shutdown":
            if current:
                plan.add("shut down the guest", lambda _hypervisor: self._shut_down())
        elif not current:
            raise Failure(f"The domain '{self._domain.name()}' does not run, so it cannot reboot. Start it first.")
        else:
            plan.add("reboot the guest", lambda _hypervisor: self._reboot())
        return plan

    def finish(self, plan: Plan) -> dict[str, Any]:
        """With how long it took."""
        return {**plan.result, "elapsed": round(self.params["timeout"] - (self._deadline.remaining or 0.0), 1)}

    def diff(self, plan: Plan) -> Any:
        """The power before and after."""
        if not plan.changed:
            return {"before": "", "after": ""}
        return {"before": "power: on\n", "after": f"power: {plan.result['state']}\n"}

    def _shut_down(self) -> None:
        with DomainEvents(self.hypervisor, self._domain) as events:
            self.guest.shutdown()
            self.context.close()
            if not events.wait(lambda: not self._is_on(), self._deadline):
                raise Failure(
                    f"The guest of '{self._domain.name()}' took the order to power off, and still runs after "
                    f"{self.params['timeout']:g} seconds (timeout). Look at its console, or allow more time."
                )

    def _reboot(self) -> None:
        boot, agent = self._boot_id(), self.guest.agent
        with DomainEvents(self.hypervisor, self._domain, ("lifecycle", "agent", "reboot")) as events:
            self.guest.reboot()
            self.context.close()
            self._wait_until_back(events, agent, boot)

    def _wait_until_back(self, events: DomainEvents, agent: str, boot: str | None) -> None:
        """Wait until the agent answers in a guest that has booted since.

        :param agent: the kind that took the order. The other one may be there earlier, and of no use to what follows.
        :param boot: the number of the boot before; None when the agent cannot tell it, so that libvirt's event must do.
        """
        pause = _FIRST_PAUSE
        has_rebooted = False
        while True:
            event = events.next(Deadline(min(pause, self._deadline.remaining or 0.0)))
            has_rebooted = has_rebooted or (event is not None and event.kind == "reboot")
            if not self._is_on():
                raise Failure(
                    f"The domain '{self._domain.name()}' went off instead of starting again. Start it, and look at "
                    "on_reboot in its configuration."
                )
            if event is None:
                pause = min(pause * 1.5, _LONGEST_PAUSE)
            if (event is None or event.kind == "agent") and self._is_back(agent, boot, has_rebooted):
                return
            if self._deadline.passed:
                raise self._not_back(has_rebooted)

    def _is_back(self, agent: str, boot: str | None, has_rebooted: bool) -> bool:
        """Whether the agent answers, of another boot than the one before."""
        handshake = min(_HANDSHAKE, self._deadline.remaining or 0.0)
        try:
            with open_guest(self.hypervisor, self._domain.UUIDString(), agent, 0.0, handshake) as guest:
                known = _boot_id_of(guest)
        except (GuestUnreachable, GuestError):
            return False  # one that has just begun, or is about to end, says all sorts of things
        return has_rebooted if boot is None or known is None else known != boot

    def _not_back(self, has_rebooted: bool) -> Failure:
        seen = "It has started again, but its agent has not come back" if has_rebooted else "It has not gone down"
        return Failure(
            f"The guest of '{self._domain.name()}' took the order to reboot and is not back after "
            f"{self.params['timeout']:g} seconds (timeout). {seen}. Look at its console, or allow more time."
        )

    def _is_on(self) -> bool:
        return bool(self.hypervisor.call(f"look at the domain '{self._domain.name()}'", self._domain.isActive))

    def _boot_id(self) -> str | None:
        return _boot_id_of(self.guest)


def _boot_id_of(guest: Any) -> str | None:
    try:
        found = guest.info("system").get("boot_id")
    except GuestError as error:
        if error.code in (wire.UNSUPPORTED, wire.DENIED, wire.METHOD_NOT_FOUND):
            return None
        raise
    return found if isinstance(found, str) and found else None
