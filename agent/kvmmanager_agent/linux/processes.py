# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The processes that run, read from /proc alone: nothing that is found there is ever run or opened."""

import contextlib
import json
import os
from typing import Any, Dict, List, Optional

from . import text

_LONGEST = 80 * 1024  # bytes of entries in one answer, which must fit into a line
_COMMAND = 256  # characters of a command line


def processes(after: int, limit: int) -> Dict[str, Any]:
    """The processes with a number above ``after``, in the order of their numbers."""
    numbers = sorted(int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) > after)
    entries: List[Dict[str, Any]] = []
    size = 0
    for number in numbers:
        entry = process(number)
        if entry is None:
            continue
        size += len(json.dumps(entry))
        if len(entries) == limit or size > _LONGEST:
            return {"processes": entries, "more": True}
        entries.append(entry)
    return {"processes": entries, "more": False}


def process(number: int) -> Optional[Dict[str, Any]]:
    """One process; None when it has ended meanwhile."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        # proc(5): the name is in parentheses and may hold some itself.
        head, _close, tail = text.read(f"/proc/{number}/stat").rpartition(")")
        words = tail.split()
        ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
        command = text.read(f"/proc/{number}/cmdline").replace("\0", " ").strip()
        return {
            "pid": number,
            "parent": int(words[1]),
            "name": head.partition("(")[2],
            "state": words[0],
            "uid": os.stat(f"/proc/{number}").st_uid,
            "threads": int(words[17]),
            "cpu": (int(words[11]) + int(words[12])) / ticks,
            "started": int(words[19]) / ticks,
            "resident": int(words[21]) * page,
            "command": command[:_COMMAND],
        }
    return None
