# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which leases a domain has that end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.leases import finite_leases
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import parse

MAC = "52:54:00:00:00:0a"
DOMAIN = f"""<domain><devices>
<interface type='network'><mac address='{MAC.upper()}'/><source network='lab'/></interface>
<interface type='network'><mac address='52:54:00:00:00:0b'/><source network='gone'/></interface>
<interface type='user'><mac address='52:54:00:00:00:0c'/></interface>
</devices></domain>"""


def test_leases_that_end_are_told_of_networks_that_are_there(hypervisor: Hypervisor) -> None:
    leases = [{"ipaddr": "10.0.0.1", "expirytime": 1000}, {"ipaddr": "10.0.0.2", "expirytime": 0}]
    asked: list[tuple[Any, ...]] = []

    def tell(*asked_for: Any) -> list[dict[str, Any]]:
        asked.append(asked_for)
        return leases

    def look_up(name: str) -> Any:
        return real(name) if name == "gone" else SimpleNamespace(DHCPLeases=tell)

    real = hypervisor.connection.networkLookupByName
    hypervisor.connection.networkLookupByName = look_up
    assert finite_leases(hypervisor, parse(DOMAIN)) == {(MAC, "10.0.0.1", 1000)}
    assert asked == [(MAC.upper(), 0)]
