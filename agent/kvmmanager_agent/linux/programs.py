# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs of the system that the agent itself runs: from the system's own folders, by no shell, with fixed words."""

import os
import subprocess
from typing import Optional, Sequence

from .. import names
from ..wire import SYSTEM_ERROR, WireError

FOLDERS = ("/sbin", "/usr/sbin", "/bin", "/usr/bin")
PATIENCE = 60  # seconds that one may take


def find(name: str) -> Optional[str]:
    """Where a program is, or None."""
    for folder in FOLDERS:
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    return None


def run(argv: Sequence[str], stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """Run a program to its end; what it wrote to stderr is kept. `WireError` after `PATIENCE`."""
    try:
        return subprocess.run(
            [names.encode(word) for word in argv],
            input=stdin,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise WireError(SYSTEM_ERROR, f"{argv[0]} did not end within {PATIENCE} seconds") from None
