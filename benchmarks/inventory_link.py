# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of 300 stopped domains over a link with a round trip of 10 ms.

The whole process ansible-inventory is measured, each with the plugin's defaults. The time of an inventory without
hosts is what Ansible takes to start; without it there remains what the plugin and its hosts add. The goals: 6 times
faster as a whole, 25 times without the start.
"""

from __future__ import annotations

import os
import pathlib
import tempfile

from benchmarks import domains
from benchmarks.figure import Figure
from benchmarks.timing import listing, medians
from tests.lab import Host, Lab
from tests.lab.relay import Relay

COUNT = 300
ROUND_TRIP = 0.010
_ROUNDS = 5


def run() -> list[Figure]:
    """The figures of this file."""
    with (
        tempfile.TemporaryDirectory(prefix="kvmmanager-bench-") as name,
        Lab(name=f"bench{os.getpid()}", hosts=[Host("h1")]) as lab,
    ):
        folder = pathlib.Path(name)
        domains.define(lab["h1"].uri, COUNT)
        nothing = folder / "nothing.ini"
        nothing.touch()
        with Relay(lab["h1"].uri, rtt=ROUND_TRIP) as relay:
            source = domains.sources(folder, relay.uri)
            contenders = {who: listing(folder, path, COUNT) for who, path in source.items()}
            taken = medians({**contenders, "start": listing(folder, nothing, 0)}, _ROUNDS)
    ours, theirs, start = taken["ours"], taken["theirs"], taken["start"]
    what = f"inventory of {COUNT} domains at {ROUND_TRIP * 1000:g} ms"
    return [
        Figure(f"{what}, whole process", ours, theirs, "s", goal=6),
        Figure(f"{what}, without Ansible's start", ours - start, theirs - start, "s", goal=25),
    ]
