# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many calls go to the daemon, beyond those that open the connection.

The inventory: at most 4 and one a domain and one a network. The module domain with nothing to change: at most 6.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, connect
from benchmarks import domains
from benchmarks.figure import Figure
from benchmarks.timing import listing
from tests.lab import Host, Lab
from tests.lab.relay import Relay

COUNT = 100
UNCHANGED_LIMIT = 6

_MODULE = """
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.kvmmanager.libvirt.plugins.modules import domain
with patch_module_args(json.loads(sys.argv[1])):
    domain.main()
"""
_DOMAIN = {
    "name": "unchanged",
    "title": "Nothing to change",
    "labels": {"env": "bench"},
    "type": "qemu",
    "memory": "64 MiB",
    "vcpus": 1,
    "interfaces": [{"network": "default"}],
    "graphics": [{"type": "vnc"}],
    "autostart": False,
    "timeout": 5,
    "force": True,
}


def run() -> list[Figure]:
    """The figures of this file."""
    with Lab(name=f"bench{os.getpid()}", hosts=[Host("h1")]) as lab, Relay(lab["h1"].uri) as relay:
        domains.define(lab["h1"].uri, COUNT)
        return [_inventory(relay), *(_unchanged(relay, state) for state in ("present", "running"))]


def _inventory(relay: Relay) -> Figure:
    with tempfile.TemporaryDirectory(prefix="kvmmanager-bench-") as name:
        folder = pathlib.Path(name)
        list_them = listing(folder, domains.sources(folder, relay.uri)["ours"], COUNT)
        opening = _opening(relay, keepalive_interval=0)
        relay.reset()
        list_them()
        made = sum(relay.calls().values()) - opening
    return Figure(f"calls of the inventory, {COUNT} domains, 1 network", made, 4 + COUNT + 1, "calls")


def _unchanged(relay: Relay, state: str) -> Figure:
    _domain(relay.uri, state)
    opening = _opening(relay)
    relay.reset()
    result = _domain(relay.uri, state)
    made = sum(relay.calls().values()) - opening
    if result["changed"]:
        raise RuntimeError(f"the second run changed something: {result}")
    _domain(relay.uri, "absent")
    return Figure(f"calls of domain, {state}, nothing to change", made, UNCHANGED_LIMIT, "calls")


def _opening(relay: Relay, **options: Any) -> int:
    """How many calls it takes to open a connection with these options, and to close it."""
    relay.reset()
    with connect(ConnectionOptions(uri=relay.uri, **options)):
        pass
    return sum(relay.calls().values())


def _domain(uri: str, state: str) -> dict[str, Any]:
    options = json.dumps({**_DOMAIN, "uri": uri, "state": state})
    done = subprocess.run([sys.executable, "-c", _MODULE, options], check=False, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    if result.get("failed"):
        raise RuntimeError(f"the module domain failed: {result['msg']}")
    return result
