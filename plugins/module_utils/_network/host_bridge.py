# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a bridge that a network relies on is there. libvirt starts such a network without it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure


@dataclass(frozen=True)
class Doubt:
    """Why a bridge may not be there.

    :ivar certain: whether it is known not to be.
    """

    sentence: str
    certain: bool


def doubt_about(hypervisor: Hypervisor, bridge: str) -> Doubt | None:
    """What speaks against a bridge of the host; None where it is there."""
    doing = f"look up the bridge '{bridge}'"
    try:
        found = hypervisor.find(doing, hypervisor.connection.interfaceLookupByName, bridge)
    except Failure:  # Debian 13 has libvirt's interface driver in a package of its own
        return None if _is_device(hypervisor, bridge) else _uncertain(hypervisor, bridge)
    if found is not None:
        return None
    return Doubt(
        f"The host of {hypervisor.uri} has no bridge '{bridge}'. A network with mode=bridge uses a bridge that exists: "
        "make it first, with the network configuration of the host.",
        certain=True,
    )


def _uncertain(hypervisor: Hypervisor, bridge: str) -> Doubt:
    return Doubt(
        f"libvirt cannot tell whether the host of {hypervisor.uri} has the bridge '{bridge}': its interface driver is "
        "missing. Without that bridge no domain on this network can start.",
        certain=False,
    )


def _is_device(hypervisor: Hypervisor, bridge: str) -> bool:
    """Whether libvirt knows the bridge as a device. It may miss one that was made without udev."""
    prefix = f"net_{re.sub('[^0-9A-Za-z]', '_', bridge)}_"
    try:
        devices = hypervisor.call("list the network devices", hypervisor.connection.listDevices, "net", 0)
    except Failure:
        return False
    return any(device.startswith(prefix) for device in devices)
