# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What 1,000 stopped domains of libvirt's test driver add to an inventory, over a hypervisor that has none.

No network is in it: this is the time of the plugin, of Ansible for each host and variable, and of the test driver,
which reads the domains from a file when it is opened. The goal: at most half. Bare are the last two: a script that
prints the finished inventory, and the driver opened.
"""

from __future__ import annotations

import pathlib
import statistics
import subprocess
import tempfile
import time

import libvirt

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
            source["printed"] = _printed(folder / f"{count}.sh", source["ours"])
        contenders = {
            f"{who} {count}": listing(folder, path, count)
            for count, source in sources.items()
            for who, path in source.items()
        }
        taken = medians(contenders, _ROUNDS)
        opening = _opening(uris[COUNT]) - _opening(uris[0])
    ours, theirs, printed = (taken[f"{who} {COUNT}"] - taken[f"{who} 0"] for who in ("ours", "theirs", "printed"))
    name = f"what {COUNT} local domains add to the inventory"
    return [Figure(name, ours, theirs, "s", goal=2, bare=printed + opening)]


def _printed(path: pathlib.Path, source: pathlib.Path) -> pathlib.Path:
    """An inventory script that prints what another source gives."""
    command = [incumbent.program("ansible-inventory"), "--inventory", str(source), "--list"]
    environment = incumbent.environment(path.parent)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    content = path.with_suffix(".json")
    content.write_text(done.stdout, encoding="utf-8")
    path.write_text(f"#!/bin/sh\nexec cat {content}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def _opening(uri: str) -> float:
    """Seconds that libvirt takes to open it."""
    taken = []
    for _round in range(_ROUNDS):
        begin = time.perf_counter()
        libvirt.open(uri).close()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)
