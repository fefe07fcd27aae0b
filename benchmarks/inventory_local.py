# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What 1,000 stopped domains of libvirt's test driver add to an inventory, over a hypervisor that has none.

No network is in it: this is the time of the plugin, of Ansible for each host and variable, and of the test driver,
which reads the domains from a file when it is opened. The goal: at most half. Bare are the last two: a plugin that
opens the driver, asks it nothing, and adds hosts that it knows already.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import tempfile

from benchmarks import domains, incumbent
from benchmarks.figure import Figure
from benchmarks.timing import listing, medians

COUNT = 1000
_ROUNDS = 7


def run() -> list[Figure]:
    """The figures of this file."""
    with tempfile.TemporaryDirectory(prefix="kvmmanager-bench-") as name:
        folder = pathlib.Path(name)
        uris = {count: domains.test_driver(folder / f"{count}.xml", count) for count in (0, COUNT)}
        sources = {count: domains.sources(folder, uri) for count, uri in uris.items()}
        for count, source in sources.items():
            source["bare"] = _bare(source["ours"], uris[count])
        contenders = {
            f"{who} {count}": listing(folder, path, count)
            for count, source in sources.items()
            for who, path in source.items()
        }
        taken = medians(contenders, _ROUNDS)
    ours, theirs, bare = (taken[f"{who} {COUNT}"] - taken[f"{who} 0"] for who in ("ours", "theirs", "bare"))
    name = f"what {COUNT} local domains add to the inventory"
    return [Figure(name, ours, theirs, "s", goal=2, bare=bare)]


def _bare(source: pathlib.Path, uri: str) -> pathlib.Path:
    """A source for `bare_inventory`, which gives what another source of the same connection does."""
    command = [incumbent.program("ansible-inventory"), "--inventory", str(source), "--list"]
    environment = incumbent.environment(source.parent)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    listing = source.with_suffix(".json")
    listing.write_text(done.stdout, encoding="utf-8")
    path = source.with_suffix(".bare.yml")
    path.write_text(json.dumps({"plugin": "bare_inventory", "uri": uri, "listing": str(listing)}), encoding="utf-8")
    return path
