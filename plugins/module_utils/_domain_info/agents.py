# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking the agent of a guest for the guest's addresses."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.addresses import (
    interface_addresses,
    network_interfaces,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt


def agent_addresses(hypervisor: Hypervisor, uuid: str, agents: Collection[str], timeout: float) -> list[dict[str, Any]]:
    """The addresses that a guest tells.

    Many may ask qemu-guest-agent at once, through libvirt; the port of our own serves one program at a time. So ours
    is asked where it is the only one.

    :param agents: those that are connected, see `connected_agents`; at least one.
    :param timeout: seconds, for our agent; libvirt bounds what it waits for the other.
    :raises Failure: when the agent does not answer.
    """
    if "qemu" in agents:
        source = libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT
        return interface_addresses("agent", hypervisor.privileged.interface_addresses(uuid, source))
    # Imported here, for few guests have it alone, and its client takes a while to load at each start of Ansible.
    from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import open_guest

    with open_guest(hypervisor, uuid, agent="kvmmanager", timeout=timeout) as guest:
        return interface_addresses("agent", network_interfaces(guest.info("network")))
