# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The channel of the QEMU guest agent, and whether the agent listens on it. Pure."""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element

AGENT_CHANNEL = "org.qemu.guest_agent.0"


def agent_connected(domain: Element) -> bool:
    """Whether the guest has the agent's port open: known for a running domain's live XML only."""
    return any(
        target.get("name") == AGENT_CHANNEL and target.get("state") == "connected"
        for target in domain.iterfind("devices/channel/target")
    )
