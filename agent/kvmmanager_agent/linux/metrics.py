# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counters since the machine booted, and what is in use now. Sizes in bytes, times in seconds."""

import os
import time
from typing import Any, Dict, List

from . import system, text

_SECTOR = 512  # /proc/diskstats counts in these, whatever the disk's own sectors are
_CPU = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_MEMORY = {
    "total": "MemTotal",
    "free": "MemFree",
    "available": "MemAvailable",
    "buffers": "Buffers",
    "cached": "Cached",
    "swap_total": "SwapTotal",
    "swap_free": "SwapFree",
}
_TRAFFIC = ("bytes", "packets", "errors", "dropped")


def metrics() -> Dict[str, Any]:
    """All of them, with the moment and the boot that they belong to."""
    memory = system.memory()
    return {
        "time": time.time(),
        "uptime": system.uptime(),
        "boot_id": system.boot_id(),
        "load": list(os.getloadavg()),
        "cpu": cpu_times(text.read("/proc/stat")),
        "memory": {name: memory.get(field, 0) for name, field in _MEMORY.items()},
        "disks": disk_counters(text.read("/proc/diskstats"), os.listdir("/sys/block")),
        "interfaces": interface_counters(text.read("/proc/net/dev")),
    }


def cpu_times(stat: str) -> Dict[str, float]:
    """Seconds that all processors together have spent, from the first line of /proc/stat."""
    words = stat.partition("\n")[0].split()[1:]
    ticks = os.sysconf("SC_CLK_TCK")
    return {name: int(word) / ticks for name, word in zip(_CPU, words)}


def disk_counters(diskstats: str, whole: List[str]) -> List[Dict[str, Any]]:
    """What each whole disk that was ever used has read and written; partitions would count twice."""
    found = []
    for line in diskstats.splitlines():
        words = line.split()
        # Documentation/admin-guide/iostats.rst: reads, merged, sectors read, ms, writes, merged, sectors written
        if len(words) < 10 or words[2] not in whole:
            continue
        counts = [int(word) for word in words[3:10]]
        if any(counts):
            found.append(
                {
                    "name": words[2],
                    "reads": counts[0],
                    "read_bytes": counts[2] * _SECTOR,
                    "writes": counts[4],
                    "written_bytes": counts[6] * _SECTOR,
                }
            )
    return found


def interface_counters(dev: str) -> List[Dict[str, Any]]:
    """What each network interface has received and sent, from /proc/net/dev."""
    found = []
    for line in dev.splitlines()[2:]:
        name, _colon, rest = line.rpartition(":")
        counts = [int(word) for word in rest.split()]
        if len(counts) >= 12:
            entry: Dict[str, Any] = {"name": name.strip()}
            entry.update({f"rx_{kind}": count for kind, count in zip(_TRAFFIC, counts)})
            entry.update({f"tx_{kind}": count for kind, count in zip(_TRAFFIC, counts[8:])})
            found.append(entry)
    return found
