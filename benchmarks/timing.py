# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long processes take, in pairs: A B A B, so that whatever else the machine does hits both alike."""

from __future__ import annotations

import pathlib
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping

from benchmarks import incumbent


def medians(contenders: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 1) -> dict[str, float]:
    """The median of the seconds that each contender takes, called in turn.

    :param warm_up: how many rounds come before, which do not count.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(warm_up + rounds):
        for name, contender in contenders.items():
            begin = time.perf_counter()
            contender()
            if turn >= warm_up:
                times[name].append(time.perf_counter() - begin)
    return {name: statistics.median(taken) for name, taken in times.items()}


def listing(folder: pathlib.Path, source: pathlib.Path, hosts: int) -> Callable[[], None]:
    """A call of ``ansible-inventory --list``, which must list that many hosts."""
    command = [incumbent.program("ansible-inventory"), "--inventory", str(source), "--list"]
    environment = incumbent.environment(folder)

    def run() -> None:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        found = done.stdout.count('"libvirt_uuid"') or done.stdout.count('"xml_desc"')
        if found != hosts:
            raise RuntimeError(f"{source} lists {found} hosts, not {hosts}: {done.stderr[-2000:]}")

    return run
