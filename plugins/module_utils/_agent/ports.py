# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which agent a running guest has connected, from the domain's live XML. Pure."""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.wire import PORT_NAME
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element

# What an option may name → the ports of the agents that it means, the better one first.
_PORTS = {"kvmmanager": PORT_NAME, "qemu": "org.qemu.guest_agent.0"}
_PROGRAMS = {"kvmmanager": "kvmmanager-agent", "qemu": "qemu-guest-agent"}
AGENTS = ("auto", *_PORTS)


def choose_agent(live: Element, wanted: str) -> str | None:
    """``kvmmanager`` or ``qemu``, whose port the guest has open; None when neither wanted one has."""
    states = _states(live)
    for agent in _meant(wanted):
        if live.get("id") is not None and states.get(_PORTS[agent]) == "connected":
            return agent
    return None


def has_port_for_agent(live: Element) -> bool:
    """Whether a running domain has a port for either agent, which may still be about to start in the guest."""
    return not _states(live).keys().isdisjoint(_PORTS.values())


def what_is_missing(live: Element, name: str, wanted: str, waited: float) -> str:
    """Why there is no agent to talk to, and what to do, as sentences."""
    when = f" after {waited:g} seconds" if waited else ""
    if live.get("id") is None:
        return f"The domain '{name}' does not run{when}, so nothing can be done in its guest. Start it first."
    states = _states(live)
    meant = _meant(wanted)
    there = [agent for agent in meant if _PORTS[agent] in states]
    if not there:
        ports = " or ".join(_PORTS[agent] for agent in meant)
        return (
            f"The running domain '{name}' has no port {ports} for a guest agent. Add it to the domain's channels, "
            "and start the domain again."
        )
    ports = " or ".join(_PORTS[agent] for agent in there)
    programs = " or ".join(_PROGRAMS[agent] for agent in there)
    other = [agent for agent in _PORTS if agent not in meant and states.get(_PORTS[agent]) == "connected"]
    hint = f" There is {_PROGRAMS[other[0]]}: set agent to {other[0]} to use it." if other else ""
    return (
        f"No agent has opened the port {ports} in the guest of '{name}'{when}. Check on its console that it has "
        f"booted, and that {programs} runs in it.{hint}"
    )


def _meant(wanted: str) -> tuple[str, ...]:
    return tuple(_PORTS) if wanted == "auto" else (wanted,)


def _states(live: Element) -> dict[str, str]:
    """The state of each named port: ``connected``, ``disconnected``, or empty."""
    return {target.get("name", ""): target.get("state", "") for target in live.iterfind("devices/channel/target")}
