# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The memory of both ends while 64 MiB go into a guest and out of it, above that of 1 MiB; and of the agent as a whole.

The agent has not copied more than 1 MiB before, since the peak of a process never sinks.
"""

from __future__ import annotations

import filecmp
import os

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import Command
from benchmarks.figure import Figure
from benchmarks.guest_machine import NAME, Machine
from benchmarks.memory import peak_of

MIB = 1024**2
MOST_ADDED = 4  # MiB
MOST_OF_AGENT = 25  # MiB
_INSIDE = "/dev/shm/bench"
_PEAK = "awk '/^VmHWM/ { print $2 }' \"/proc/$(systemctl show --property MainPID --value kvmmanager-agent)/status\""
_COPY = """
import sys
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import open_guest
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, connect
uri, name, source, inside, copy = sys.argv[1:]
with connect(ConnectionOptions(uri)) as hypervisor, open_guest(hypervisor, name, "kvmmanager") as guest:
    with open(source, "rb") as file:
        guest.put(file, inside, timeout=600)
    with open(copy, "wb+") as file:
        guest.get(inside, file, timeout=600)
    guest.remove(inside)
"""


def figures(machine: Machine) -> list[Figure]:
    """The figures of this file."""
    small, agent_small = _copy(machine, MIB), _peak_of_agent(machine)
    large, agent_large = _copy(machine, 64 * MIB), _peak_of_agent(machine)
    what = "memory added by 64 MiB copied both ways"
    return [
        Figure(f"{what}, controller", max(large - small, 0.0), MOST_ADDED, "MiB"),
        Figure(f"{what}, agent", max(agent_large - agent_small, 0.0), MOST_ADDED, "MiB"),
        Figure("peak memory of the agent", agent_large, MOST_OF_AGENT, "MiB"),
    ]


def _copy(machine: Machine, size: int) -> float:
    """Copy a file of that size into the guest and out of it; the peak memory of the program that does, in MiB."""
    source, copy = machine.folder / "small-or-large", machine.folder / "copy"
    with source.open("wb") as file:
        for _block in range(size // MIB):
            file.write(os.urandom(MIB))
    peak, done = peak_of(_COPY, machine.host.uri, NAME, str(source), _INSIDE, str(copy))
    if done.returncode or not filecmp.cmp(source, copy, shallow=False):
        raise RuntimeError(f"the copy did not work: {done.stderr[-2000:]}")
    return peak


def _peak_of_agent(machine: Machine) -> float:
    """The most memory that the agent has used so far, in MiB."""
    with machine.guest() as guest:
        return int(guest.run(Command(["sh", "-c", _PEAK]), 60).stdout) / 1024
