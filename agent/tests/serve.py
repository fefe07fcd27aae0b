# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An agent as a process of its own: ``serve.py DESCRIPTOR CONFIG`` serves a socket instead of a port.

`host.AgentCase` mostly forks instead of starting an interpreter for that, since there are many tests.
"""

import os
import sys

from kvmmanager_agent.__main__ import serve
from kvmmanager_agent.config import load
from kvmmanager_agent.port import Port


def main() -> int:
    """Serve until it is stopped."""
    return run(int(sys.argv[1]), sys.argv[2])


def run(handle: int, config: str) -> int:
    """Serve a descriptor until it is stopped."""
    os.set_blocking(handle, False)
    return 0 if serve(Port(handle), load(config), config, True) else 3


if __name__ == "__main__":
    sys.exit(main())
