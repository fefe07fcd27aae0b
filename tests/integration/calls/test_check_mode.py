# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In check mode, and in modules that only inform, the daemon is asked for nothing but what reads.

That it would refuse a change on the read-only connection is not enough: nothing may even be tried.
"""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from tests.integration.calls.conftest import RunModule
from tests.lab.relay import QEMU_PROGRAM, Relay

POOL_PATH = "/var/lib/libvirt/images/calls"
# By their numbers in libvirt's src/remote/remote_protocol.x.
READING = {
    1: "connect_open",
    2: "connect_close",
    3: "connect_get_type",
    4: "connect_get_version",
    6: "node_get_info",
    7: "connect_get_capabilities",
    14: "domain_get_xml_desc",
    15: "domain_get_autostart",
    23: "domain_lookup_by_name",
    24: "domain_lookup_by_uuid",
    43: "network_get_xml_desc",
    44: "network_get_autostart",
    46: "network_lookup_by_name",
    59: "connect_get_hostname",
    60: "connect_supports_feature",
    66: "auth_list",
    84: "storage_pool_lookup_by_name",
    87: "storage_pool_get_info",
    88: "storage_pool_get_xml_desc",
    89: "storage_pool_get_autostart",
    91: "storage_pool_num_of_volumes",
    92: "storage_pool_list_volumes",
    95: "storage_vol_lookup_by_name",
    98: "storage_vol_get_info",
    99: "storage_vol_get_xml_desc",
    100: "storage_vol_get_path",
    152: "network_is_active",
    153: "network_is_persistent",
    154: "storage_pool_is_active",
    155: "storage_pool_is_persistent",
    157: "connect_get_lib_version",
    183: "domain_has_managed_save_image",
    187: "domain_snapshot_num",
    209: "storage_vol_download",
    228: "node_get_memory_stats",
    273: "connect_list_all_domains",
    281: "connect_list_all_storage_pools",
    282: "storage_pool_list_all_volumes",
    283: "connect_list_all_networks",
    341: "network_get_dhcp_leases",
    342: "connect_get_domain_capabilities",
    344: "connect_get_all_domain_stats",
    404: "network_list_all_ports",
    413: "domain_list_all_checkpoints",
}
# Every kind of change of every module that manages something; each foretells a change.
CHANGES: dict[str, list[dict[str, Any]]] = {
    "cloud_image": [{"path": __file__, "format": "raw", "pool": "calls"}],
    "cloud_init_seed": [
        {"pool": "calls", "volume": "new.iso", "user_data": {"hostname": "a"}},
        {"pool": "calls", "volume": "seed.iso", "user_data": {"hostname": "b"}},
        {"pool": "calls", "volume": "seed.iso", "state": "absent"},
    ],
    "domain": [
        {"name": "new", "memory": "64 MiB", "interfaces": [{"network": "calls"}], "firmware": "uefi", "tpm": True},
        {
            "name": "new",
            "memory": "64 MiB",
            "state": "running",
            "disks": [{"volume": {"pool": "calls", "volume": "old"}}],
        },
        {"xml": "<domain type='qemu'><name>new</name><memory>65536</memory><os><type>hvm</type></os></domain>"},
        {"name": "calls", "title": "changed", "vcpus": 2, "labels": {"a": "b"}, "autostart": True},
        {"name": "calls", "graphics": [{"type": "vnc", "password": "secret"}]},
        {"name": "calls", "state": "running"},
        {"name": "calls", "state": "absent"},
    ],
    "network": [
        {"name": "new", "mode": "isolated", "autostart": True},
        {"name": "calls", "state": "started"},
        {"name": "calls", "mtu": 1400},
        {"name": "calls", "state": "absent"},
    ],
    "pool": [
        {"name": "new", "path": f"{POOL_PATH}-new", "state": "started", "autostart": True},
        {"name": "calls", "autostart": True},
        {"name": "calls", "state": "stopped"},
        {"name": "calls", "state": "absent"},
    ],
    "volume": [
        {"pool": "calls", "name": "new", "capacity": "1 MiB"},
        {"pool": "calls", "name": "new", "clone_from": {"volume": "old"}},
        {"pool": "calls", "name": "new", "src": __file__, "format": "raw"},
        {"pool": "calls", "name": "old", "capacity": "2 MiB"},
        {"pool": "calls", "name": "old", "src": __file__, "format": "raw", "overwrite": "different"},
        {"pool": "calls", "name": "old", "dest": "/tmp/nothing-writes-this"},
        {"pool": "calls", "name": "old", "state": "absent"},
    ],
}
# cloud_init_info and the modules guest_* talk to a guest.
INFORMATION: dict[str, dict[str, Any]] = {
    "domain_info": {"gather": ["config", "drift", "addresses", "statistics"]},
    "host_info": {},
    "network_info": {},
    "pool_info": {},
    "volume_info": {"pool": "calls"},
}
MODULES = pathlib.Path(__file__).parents[3] / "plugins" / "modules"


@pytest.fixture(scope="module", autouse=True)
def _resources(run: RunModule) -> None:
    """Something of each kind, all called calls."""
    made = [
        run("pool", name="calls", path=POOL_PATH, build=True, state="started"),
        run("volume", pool="calls", name="old", capacity="1 MiB", format="raw"),
        run("cloud_init_seed", pool="calls", volume="seed.iso", user_data={"hostname": "a"}),
        run("network", name="calls", mode="isolated", state="present"),
        run("domain", name="calls", memory="64 MiB", type="qemu", graphics=[{"type": "vnc"}]),
    ]
    assert [result for result in made if not result.get("changed")] == []


def not_reading(relay: Relay) -> dict[int, int]:
    """The procedures that were called and are no reading ones, by number, with how often."""
    called = {number: times for number, times in relay.calls().items() if number not in READING}
    return {**called, **relay.calls(QEMU_PROGRAM)}


def test_every_module_is_here() -> None:
    names = {path.stem for path in MODULES.glob("*.py")}
    talking = {name for name in names if name.startswith("guest_")} | {"cloud_init_info"}
    assert names - talking == {*CHANGES, *INFORMATION}


def test_what_foretells_a_change_only_reads(run: RunModule, relay: Relay) -> None:
    """One test, for a host of its own costs more than all its tasks."""
    wrong = []
    for name, tasks in CHANGES.items():
        for task in tasks:
            relay.reset()
            result = run(name, **task, _ansible_check_mode=True, _ansible_diff=True)
            if not result.get("changed") or not_reading(relay):
                wrong.append((name, task, not_reading(relay), result.get("msg")))
    assert wrong == []


def test_what_informs_only_reads(run: RunModule, relay: Relay) -> None:
    wrong = []
    for name, options in INFORMATION.items():
        relay.reset()
        result = run(name, **options)
        if result.get("failed") or not_reading(relay):
            wrong.append((name, not_reading(relay), result.get("msg")))
    assert wrong == []


def test_a_change_is_seen(run: RunModule, relay: Relay) -> None:
    """Else the tests above would prove nothing."""
    relay.reset()
    assert run("volume", pool="calls", name="seen", capacity="1 MiB")["changed"]
    assert not_reading(relay)
