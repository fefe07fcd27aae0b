# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send a file into a guest again and again, and be killed each time: the work of one test, as a program.

Call: interrupted_put.py COLLECTIONS URI DOMAIN FILE PATH TIMES SEED. Each attempt is a process of its own that kills
itself with SIGKILL after a random number of bytes, in the middle of lines and frames.
"""

from __future__ import annotations

import importlib
import os
import random
import signal
import sys
import traceback

_PACKAGE = "ansible_collections.kvmmanager.libvirt.plugins.module_utils"


def main() -> None:
    """Fork the attempts, one after another. The libraries are loaded once, but libvirt is used by the forks alone."""
    sys.path.insert(0, sys.argv[1])
    times, seed = map(int, sys.argv[6:])
    importlib.import_module(f"{_PACKAGE}._agent.guest")
    chance = random.Random(seed)
    for _attempt in range(times):
        most = chance.randrange(400_000)
        child = os.fork()
        if not child:
            try:
                _put_until(most, *sys.argv[2:6])
            finally:
                traceback.print_exc()
                os._exit(1)
        _child, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(f"an attempt was to die after {most} bytes but ended with the status {status}")


def _put_until(most: int, uri: str, domain: str, file: str, path: str) -> None:
    """Send the file, and die when the session has sent ``most`` bytes."""
    connection = importlib.import_module(f"{_PACKAGE}._connection")
    agent = importlib.import_module(f"{_PACKAGE}._agent.guest")
    left = most
    with (
        connection.connect(connection.ConnectionOptions(uri)) as hypervisor,
        agent.open_guest(hypervisor, domain, agent="kvmmanager", timeout=60) as guest,
        open(file, "rb") as source,
    ):
        channel = guest.session._channel
        send = channel.send

        def send_some(data: bytes) -> None:
            nonlocal left
            send(data[:left])
            left -= len(data)
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

        channel.send = send_some
        guest.put(source, path, timeout=60)


if __name__ == "__main__":
    main()
