# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DHCP leases of a domain, with their ends: a guest that starts renews its lease, so the end tells old from new."""

from __future__ import annotations

import contextlib

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at

# MAC address, IP address, and when it ends, in seconds since 1970.
Leases = frozenset[tuple[str, str, int]]
NO_LEASES: Leases = frozenset()


def finite_leases(hypervisor: Hypervisor, domain: Element) -> Leases:
    """The leases, as far as they end, of the interfaces that a ``<domain>`` has on libvirt's networks."""
    found: set[tuple[str, str, int]] = set()
    for interface in domain.iterfind("devices/interface"):
        name, mac = attribute_at(interface, "source", "network"), attribute_at(interface, "mac", "address")
        if name and mac:
            # A network may be gone, or leave DHCP to somebody else.
            with contextlib.suppress(Failure):
                network = hypervisor.call("look up the network", hypervisor.connection.networkLookupByName, name)
                for lease in hypervisor.call("read the leases", network.DHCPLeases, mac, 0) or ():
                    found.add((mac.lower(), str(lease.get("ipaddr")), int(lease.get("expirytime") or 0)))
    return frozenset(lease for lease in found if lease[2])
