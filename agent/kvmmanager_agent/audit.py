# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of what was asked for and what became of it, never of content."""

import sys
import threading
from typing import List, Optional, TextIO

_MOST_HELD = 1000  # lines that are kept while nothing may be written


class Audit:
    """Writes one line a call, for the system's journal."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._held: Optional[List[str]] = None

    def call(self, identity: str, method: str, subject: str, code: int, seconds: float) -> None:
        """Record a request that has ended: ``code`` is 0 or that of its error."""
        result = "ok" if not code else f"error {code}"
        about = f" {_clean(subject)}" if subject else ""
        self.note(f"{_clean(identity)} {_clean(method)}{about}: {result} after {seconds:.3f} s")

    def note(self, text: str) -> None:
        """Record something else."""
        with self._lock:
            if self._held is None:
                self._write(text)
            elif len(self._held) < _MOST_HELD:
                self._held.append(text)

    def hold(self) -> None:
        """Keep what comes: whoever writes to a frozen file system, as the journal may, waits, and the agent for it."""
        with self._lock:
            self._held = []

    def release(self, text: str) -> None:
        """Write what was kept, and this."""
        with self._lock:
            held, self._held = self._held or [], None
            for line in [*held, text]:
                self._write(line)

    def _write(self, text: str) -> None:
        # A journal that has gone is no reason to stop.
        try:
            self._stream.write(f"kvmmanager-agent: {text}\n")
            self._stream.flush()
        except OSError:
            return


def _clean(text: str) -> str:
    """The text on one line, in ASCII, and not too long: the host has chosen it."""
    return text[:200].encode("unicode_escape").decode("ascii")
