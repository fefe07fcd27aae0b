# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network of a task: from its options to a plan."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure, did_you_mean
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network import planning
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.actions import NetworkHandle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.checks import check_config, check_options
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.config import read_config
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.fields import read_mode
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.host_bridge import doubt_about
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.live import Update
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.lookup import (
    Current,
    find_network,
    read_network,
    report,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.options import check_purge, clean_options
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.overlay import laid_over, parse_network
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.patch import patched
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan, restart_report
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import Resource, named
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, child, text_at


class Network(Resource):
    """A virtual network: its stored configuration, the active network, and what changes either."""

    def __init__(self, params: dict[str, Any], hypervisor: Hypervisor) -> None:
        super().__init__(params, hypervisor)
        self.options = clean_options(named(params))
        self.given = None if params["xml"] is None else parse_network(params["xml"])
        self.wishes = planning.Wishes(params["state"], params["autostart"], params["apply"], params["allow_restart"])
        self.name, self.uuid = self._identity()
        self.handle = NetworkHandle(self.name or "")
        self._check_combinations()

    def read(self) -> Current | None:
        """The network as libvirt holds it."""
        network = find_network(self.hypervisor, self.name, self.uuid)
        if network is None:
            return None
        self.handle = NetworkHandle(network.name(), network)
        return read_network(self.hypervisor, network)

    def plan(self, current: Current | None) -> Plan:
        """Bring the network to the state and the configuration of the task."""
        if self.wishes.state == "absent":
            return self._plan_absence(current)
        if current is None:
            target = self._checked_target(self._blank())
            outcome = planning.outcome_of_new(self.handle.name, target, self.uuid, self.wishes)
        else:
            outcome = planning.outcome(current, *self._targets(current), self.wishes)
        warnings = planning.disconnected(current, outcome) + self._check_bridge(outcome)
        plan = Plan(changes=planning.changes(current, outcome))
        self._add_actions(plan, current, outcome)
        plan.result = {
            "network": report(outcome.after),
            **restart_report(outcome.waiting),
            **({"warnings": warnings} if warnings else {}),
        }
        return plan

    def finish(self, plan: Plan) -> dict[str, Any]:
        """The result with what libvirt chose: uuid, bridge, MAC."""
        if self.wishes.state == "absent":
            return plan.result
        return {**plan.result, "network": report(read_network(self.hypervisor, self.handle.network))}

    def _identity(self) -> tuple[str | None, str | None]:
        """Name and uuid, from the options or else from the raw XML.

        :raises Failure: when both name one, and not the same.
        """
        found: list[str | None] = []
        for option in ("name", "uuid"):
            asked = self.params[option]
            written = None if self.given is None else text_at(self.given, option)
            if asked and written and asked != written:
                raise Failure(f"The option xml has the {option} {written}, the option {option} is {asked}.")
            found.append(asked or written)
        if not any(found):
            raise Failure("Name the network: give name or uuid, or a name in xml.")
        return found[0], found[1] and found[1].lower()

    def _check_combinations(self) -> None:
        if self.wishes.allow_restart and self.wishes.apply != "auto":
            raise Failure("allow_restart=true needs apply=auto: a restart brings the stored configuration to life.")
        check_purge(self.params["purge"], self.options)

    def _blank(self) -> Element:
        """The network that a new one starts from."""
        if self.name is None:
            raise Failure(f"There is no network {self.uuid} on {self.hypervisor.uri}; to create it, give its name too.")
        if not self.options and self.given is None:
            networks = self.hypervisor.call("list the networks", self.hypervisor.connection.listAllNetworks, 0)
            near = did_you_mean(self.name, (network.name() for network in networks))
            raise Failure(
                f"There is no network '{self.name}' on {self.hypervisor.uri}.{near} "
                "To create it, say what it is to be, at least its mode."
            )
        network = Element("network")
        child(network, "name").text = self.name
        if self.uuid is not None:
            child(network, "uuid").text = self.uuid
        return network

    def _targets(self, current: Current) -> tuple[Element, Element | None]:
        """What the task wants of the stored and of the active network.

        Options must fit the network that they are stored in. The active one may still have another mode.
        """
        if self.wishes.apply == "live":
            return current.stored, None if current.live is None else self._checked_target(current.live)
        return self._checked_target(current.stored), None if current.live is None else self._target(current.live)

    def _checked_target(self, current: Element) -> Element:
        """As `_target`, but what cannot work is a `Failure`."""
        mode = self.options.get("mode", read_mode(self._base(current)))
        check_options(self.options, mode)
        target = self._target(current)
        check_config(read_config(target), self.options)
        return target

    def _target(self, current: Element) -> Element:
        return patched(self._base(current), self.options, self.params["purge"])

    def _base(self, current: Element) -> Element:
        """What libvirt holds, with the user's XML laid over it."""
        return current if self.given is None else laid_over(current, self.given)

    def _add_actions(self, plan: Plan, current: Current | None, outcome: planning.Outcome) -> None:
        handle, after = self.handle, outcome.after
        if outcome.define:
            validate = self.given is not None  # only XML from a user can hold what libvirt does not know
            summary = "define the network" if current is None else "store the changed configuration"
            plan.add(summary, lambda hypervisor: handle.define(hypervisor, after.stored, validate))
        for update in outcome.updates:
            self._add_update(plan, update)
        if outcome.stop:
            plan.add("stop the network", handle.stop)
        if outcome.start:
            plan.add("start the network", handle.start)
        if after.autostart != (current is not None and current.autostart):
            summary = f"switch autostart {'on' if after.autostart else 'off'}"
            plan.add(summary, lambda hypervisor: handle.set_autostart(hypervisor, after.autostart))

    def _add_update(self, plan: Plan, update: Update) -> None:
        plan.add(update.summary, lambda hypervisor: self.handle.update(hypervisor, update))

    def _plan_absence(self, current: Current | None) -> Plan:
        plan = Plan(result={"network": None, **restart_report([])})
        if current is None:
            return plan
        plan.changes = planning.removal(current)
        if warnings := planning.disconnected(current, None):
            plan.result["warnings"] = warnings
        if current.live is not None:
            plan.add("stop the network", self.handle.stop)
        if current.persistent:
            plan.add("undefine the network", self.handle.undefine)
        return plan

    def _check_bridge(self, outcome: planning.Outcome) -> list[str]:
        """The warning that the bridge of a network about to start may be missing; where it certainly is, an error."""
        bridge = read_config(outcome.after.stored).get("bridge")
        if not outcome.start or not bridge or read_mode(outcome.after.stored) != "bridge":
            return []
        doubt = doubt_about(self.hypervisor, bridge)
        if doubt is None:
            return []
        # In check mode an earlier task of the play may be what makes the bridge.
        if doubt.certain and not self.hypervisor.read_only:
            raise Failure(doubt.sentence)
        return [doubt.sentence]
