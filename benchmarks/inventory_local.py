# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What 1,000 stopped domains of libvirt's test driver add to an inventory, over a hypervisor that has none.

No network is in it: this is the time of the plugin, of Ansible for each host and variable, and of the test driver,
which reads the domains from a file when it is opened. The goal: at most half.
"""

from __future__ import annotations

import pathlib
import tempfile

from benchmarks import domains
from benchmarks.figure import Figure
from benchmarks.timing import listing, medians

COUNT = 1000
_ROUNDS = 7


def run() -> list[Figure]:
    """The figures of this file."""
    with tempfile.TemporaryDirectory(prefix="kvmmanager-bench-") as name:
        folder = pathlib.Path(name)
        contenders = {
            f"{who} {count}": listing(folder, path, count)
            for count in (0, COUNT)
            for who, path in domains.sources(folder, domains.test_driver(folder / f"{count}.xml", count)).items()
        }
        taken = medians(contenders, _ROUNDS)
    added = {who: taken[f"{who} {COUNT}"] - taken[f"{who} 0"] for who in ("ours", "theirs")}
    return [Figure(f"what {COUNT} local domains add to the inventory", added["ours"], added["theirs"], "s", goal=2)]
