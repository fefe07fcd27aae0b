# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Statistics as a tree."""

from __future__ import annotations

import libvirt

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.statistics import (
    group_flags,
    statistics_tree,
)


def test_numbered_names_become_lists_and_memory_bytes() -> None:
    flat = {
        "state.state": 1,
        "cpu.time": 5,
        "balloon.current": 1024,
        "balloon.major_fault": 7,
        "balloon.last-update": 3,
        "vcpu.current": 2,
        "vcpu.0.time": 11,
        "vcpu.2.time": 12,
        "net.count": 1,
        "net.0.name": "vnet0",
        "net.0.rx.bytes": 100,
        "block.count": 11,
        **{f"block.{number}.name": f"vd{number}" for number in range(11)},
    }
    tree = statistics_tree(flat)
    assert [disk["name"] for disk in tree.pop("disks")] == [f"vd{number}" for number in range(11)]
    assert tree == {
        "cpu": {"time": 5},
        "balloon": {"current": 1024 * 1024, "major_fault": 7, "last_update": 3},
        "vcpu": {"current": 2},
        "vcpus": [{"number": 0, "time": 11}, {"number": 2, "time": 12}],
        "interfaces": [{"name": "vnet0", "rx_bytes": 100}],
    }


def test_only_the_groups_that_were_asked_for() -> None:
    assert group_flags([]) == 0
    assert group_flags(["cpu", "block"]) == libvirt.VIR_DOMAIN_STATS_CPU_TOTAL | libvirt.VIR_DOMAIN_STATS_BLOCK
