# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a bridge that a network relies on is there. libvirt starts such a network without it."""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure


def missing_bridge(hypervisor: Hypervisor, bridge: str) -> str | None:
    """A sentence that says that the host has no such device; None when it has, or when nobody can tell."""
    try:
        look_up = hypervisor.connection.interfaceLookupByName
        found = hypervisor.find(f"look up the bridge '{bridge}'", look_up, bridge)
    except Failure:  # this libvirt was built without its interface driver
        return None
    if found is not None:
        return None
    return (
        f"The host of {hypervisor.uri} has no bridge '{bridge}'. A network with mode=bridge uses a bridge that exists: "
        "make it first, with the network configuration of the host."
    )
