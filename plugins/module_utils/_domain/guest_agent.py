# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The channels of guest agents, and which agents listen on theirs. Pure."""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.wire import PORT_NAME
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element

# By what an agent is called here; the one that can do more comes first.
CHANNELS = {"kvmmanager": PORT_NAME, "qemu": "org.qemu.guest_agent.0"}
NO_AGENT = "none"


def connected_agents(domain: Element) -> list[str]:
    """The agents that have their port open in the guest: known for a running domain's live XML only."""
    open_ports = {
        target.get("name") for target in domain.iterfind("devices/channel/target") if target.get("state") == "connected"
    }
    return [agent for agent, port in CHANNELS.items() if port in open_ports]
