# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much memory a program takes at its peak.

The kernel's own figure for a process that has ended (ru_maxrss) is of no use here: a program that is started counts
what its parent had. So the program says itself, at its end, what the peak of its own memory was.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile

_PROLOGUE = """
import atexit, pathlib, re, sys
def _tell(path=sys.argv.pop(1)):
    status = pathlib.Path("/proc/self/status").read_text()
    pathlib.Path(path).write_text(re.search(r"VmHWM:\\s*(\\d+) kB", status)[1])
atexit.register(_tell)
"""


def peak_of(script: str, *words: str) -> tuple[float, subprocess.CompletedProcess[str]]:
    """Run a Python program, given as its text and arguments; its peak in MiB, and how it ended."""
    with tempfile.NamedTemporaryFile(mode="r", encoding="ascii") as told:
        command = [sys.executable, "-c", _PROLOGUE + script, told.name, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return int(pathlib.Path(told.name).read_text(encoding="ascii")) / 1024, done
