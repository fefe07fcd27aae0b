# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this machine is: its system, kernel, memory and clock."""

import os
import time
from typing import Any, Dict

from . import text


def os_info() -> Dict[str, str]:
    """The operating system, in the terms of os-release(5) and uname(2)."""
    release = text.assignments(text.read("/etc/os-release") or text.read("/usr/lib/os-release"))
    kernel = os.uname()
    return {
        "family": "linux",
        "id": release.get("ID", "linux"),
        "version": release.get("VERSION_ID", ""),
        "name": release.get("PRETTY_NAME", "Linux"),
        "kernel": kernel.release,
        "machine": kernel.machine,
    }


def system_info() -> Dict[str, Any]:
    """This machine as a whole. Sizes in bytes, times in seconds; the boot id is another after each boot."""
    return {
        "hostname": os.uname().nodename,
        "fqdn": _full_name(),
        "os": os_info(),
        "boot_id": boot_id(),
        "machine_id": text.read("/etc/machine-id").strip(),
        "uptime": uptime(),
        "time": time.time(),
        "timezone": time.tzname[0],
        "utc_offset": time.localtime().tm_gmtoff,
        "cpus": os.cpu_count() or 1,
        "memory": memory().get("MemTotal", 0),
    }


def boot_id() -> str:
    """An identifier that is another after each boot."""
    return text.read("/proc/sys/kernel/random/boot_id").strip()


def uptime() -> float:
    """Seconds since the machine booted."""
    words = text.read("/proc/uptime", "0").split()
    return float(words[0])


def memory() -> Dict[str, int]:
    """The figures of /proc/meminfo that have a unit, in bytes."""
    found = {}
    for line in text.read("/proc/meminfo").splitlines():
        name, _colon, value = line.partition(":")
        words = value.split()
        if len(words) == 2 and words[1] == "kB":
            found[name] = int(words[0]) * 1024
    return found


def _full_name() -> str:
    """The name with its domain as far as /etc/hosts knows it; a name server may be out of reach and slow."""
    name = os.uname().nodename
    for line in text.read("/etc/hosts").splitlines():
        words = line.partition("#")[0].split()[1:]
        if name in words and "." in words[0]:
            return words[0]
    return name
