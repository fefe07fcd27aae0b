# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many calls go to the daemon, beyond those that open the connection: over a link each one is a round trip.

benchmarks/calls.py shows the same figures beside those of others.
"""

from __future__ import annotations

import pathlib
from collections import Counter
from typing import Any

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, connect
from tests.integration.calls.conftest import RunModule
from tests.lab.relay import Relay

CLOSE = 2  # REMOTE_PROC_CONNECT_CLOSE
DOMAINS = 5
NETWORKS = 1
DOMAIN: dict[str, Any] = {
    "title": "Nothing to change",
    "labels": {"env": "test"},
    "type": "qemu",
    "memory": "64 MiB",
    "vcpus": 1,
    "interfaces": [{"network": "default"}],
    "graphics": [{"type": "vnc"}],
}


def calls(relay: Relay) -> Counter[int]:
    """What was called since the last reset, but for closing, which the relay may write down later."""
    return Counter({number: times for number, times in relay.calls().items() if number != CLOSE})


def opening(relay: Relay, **options: Any) -> int:
    """How many calls it takes to open a connection with these options."""
    relay.reset()
    with connect(ConnectionOptions(uri=relay.uri, **options)):
        return sum(calls(relay).values())


@pytest.mark.parametrize("state", ["present", "running"])
def test_a_domain_with_nothing_to_change(run: RunModule, relay: Relay, state: str) -> None:
    task = {**DOMAIN, "name": "unchanged", "state": state}
    assert run("domain", **task)["changed"]
    of_opening = opening(relay)
    relay.reset()
    assert run("domain", **task)["changed"] is False
    made = calls(relay)
    run("domain", name="unchanged", state="absent", force=True, timeout=1)
    assert sum(made.values()) - of_opening <= 6, made


def test_the_inventory(run: RunModule, relay: Relay, tmp_path: pathlib.Path) -> None:
    names = [f"d{number}" for number in range(DOMAINS)]
    assert all(run("domain", **DOMAIN, name=name)["changed"] for name in names)
    source = tmp_path / "fleet.libvirt.yml"
    source.write_text(f"plugin: kvmmanager.libvirt.libvirt\nconnections: [{{uri: '{relay.uri}'}}]\n", encoding="utf-8")
    of_opening = opening(relay, keepalive_interval=0)
    relay.reset()
    inventory = InventoryManager(DataLoader(), sources=[str(source)])
    made = calls(relay)
    assert sorted(inventory.hosts) == names
    assert sum(made.values()) - of_opening <= 4 + DOMAINS + NETWORKS, made
