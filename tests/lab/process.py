# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Naming a process so surely that a signal can never reach another one.

A process id alone is not a name: the kernel gives it to another process later. The id together with the start
time and the boot is.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path

_START_TIME_FIELD = 19  # of /proc/PID/stat, counted after the command name (proc(5): field 22)


@dataclass(frozen=True)
class Process:
    """A process: its id and the clock ticks between the boot and its start."""

    pid: int
    started: int


def boot_id() -> str:
    """Return what the kernel calls this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def parse_start_time(stat: str) -> int:
    """Return the start time in the text of /proc/PID/stat. The command name may hold spaces and parentheses."""
    return int(stat.rpartition(")")[2].split()[_START_TIME_FIELD])


def find_process(pid: int) -> Process | None:
    """Return the process that has this id now, or None."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    if stat.rpartition(")")[2].split()[0] in "ZX":  # ended, only not yet waited for
        return None
    return Process(pid, parse_start_time(stat))


def is_running(process: Process) -> bool:
    """Return whether exactly this process still runs."""
    return find_process(process.pid) == process


def command_line(pid: int) -> list[str]:
    """Return the arguments of a process, or an empty list if it is gone."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [word.decode("utf-8", "replace") for word in raw.split(b"\0")[:-1]]


def kill(process: Process, timeout: float = 10) -> bool:
    """Kill exactly this process and wait for its end. Return False if it is still there after C(timeout) seconds."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        # The handle now holds on to one process; only after that is it worth asking whether it is the right one.
        if not is_running(process):
            return True
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        ended, _write, _error = select.select([handle], [], [], timeout)
        return bool(ended)
    finally:
        os.close(handle)
