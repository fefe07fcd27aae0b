# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send a file into a guest or get it again and again, and be killed each time: the work of one test, as a program.

Call: interrupted_transfer.py put|get COLLECTIONS URI DOMAIN FILE PATH TIMES SEED. Each attempt is a process of its own
that kills itself with SIGKILL after a random number of bytes, in the middle of lines and frames.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import random
import signal
import sys
import traceback
from collections.abc import Iterator
from typing import Any

_PACKAGE = "ansible_collections.kvmmanager.libvirt.plugins.module_utils"


def main() -> None:
    """Fork the attempts, one after another. The libraries are loaded once, but libvirt is used by the forks alone."""
    sys.path.insert(0, sys.argv[2])
    times, seed = map(int, sys.argv[7:])
    transfer = _put_until if sys.argv[1] == "put" else _get_until
    importlib.import_module(f"{_PACKAGE}._agent.guest")
    chance = random.Random(seed)
    for _attempt in range(times):
        most = chance.randrange(400_000)
        child = os.fork()
        if not child:
            try:
                transfer(most, *sys.argv[3:7])
            finally:
                traceback.print_exc()
                os._exit(1)
        _child, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(f"an attempt was to die after {most} bytes but ended with the status {status}")


def _put_until(most: int, uri: str, domain: str, file: str, path: str) -> None:
    """Send the file, and die when the session has sent ``most`` bytes."""
    left = most
    with _opened(uri, domain) as guest, open(file, "rb") as source:
        stream = guest.session._channel._outbox
        give = stream._give

        def give_some(data: bytes) -> int:
            nonlocal left
            given = int(give(data[:left]))
            left -= given
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return given

        stream._give = give_some
        guest.put(source, path, timeout=60)


def _get_until(most: int, uri: str, domain: str, _file: str, path: str) -> None:
    """Get the file, and die when ``most`` bytes of it have come."""
    left = most
    with _opened(uri, domain) as guest:
        channel = guest.session._channel
        receive = channel.receive

        def receive_some(deadline: Any) -> Any:
            nonlocal left
            received = receive(deadline)
            left -= len(received)
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return received

        channel.receive = receive_some
        guest.get(path, io.BytesIO(), timeout=60)


@contextlib.contextmanager
def _opened(uri: str, domain: str) -> Iterator[Any]:
    connection = importlib.import_module(f"{_PACKAGE}._connection")
    agent = importlib.import_module(f"{_PACKAGE}._agent.guest")
    with (
        connection.connect(connection.ConnectionOptions(uri)) as hypervisor,
        agent.open_guest(hypervisor, domain, agent="kvmmanager", timeout=60) as guest,
    ):
        yield guest


if __name__ == "__main__":
    main()
