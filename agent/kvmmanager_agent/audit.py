# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of what was asked for and what became of it, never of content."""

import sys
from typing import TextIO


class Audit:
    """Writes one line a call, for the system's journal."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream

    def call(self, identity: str, method: str, subject: str, code: int, seconds: float) -> None:
        """Record a request that has ended: ``code`` is 0 or that of its error."""
        result = "ok" if not code else f"error {code}"
        about = f" {_clean(subject)}" if subject else ""
        self.note(f"{_clean(identity)} {_clean(method)}{about}: {result} after {seconds:.3f} s")

    def note(self, text: str) -> None:
        """Record something else."""
        # A journal that has gone is no reason to stop.
        try:
            self._stream.write(f"kvmmanager-agent: {text}\n")
            self._stream.flush()
        except OSError:
            return


def _clean(text: str) -> str:
    """The text on one line, in ASCII, and not too long: the host has chosen it."""
    return text[:200].encode("unicode_escape").decode("ascii")
