# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""As `serve`, with two folders of one file system for mounts, and a file that tells when it would be frozen."""

import contextlib
import os
import pkgutil
from typing import List
from unittest import mock

from kvmmanager_agent import freezer
from kvmmanager_agent.linux import mounts

from . import serve

# Takes the place of the import of fcntl in the guard: no test ever freezes anything of this machine.
_FAKE = """
import os, time
if os.path.exists({slow!r}):
    time.sleep(0.5)
class fcntl:
    @staticmethod
    def ioctl(handle, number, _argument):
        name = os.path.basename(os.readlink("/proc/self/fd/%d" % handle))
        if os.path.exists({fail!r}):
            raise OSError(errno.EIO, "injected")
        if number == FITHAW:
            with open({thawed!r}, "w") as thawed:
                thawed.write(str(time.monotonic()))
        with open({log!r}, "a") as log:
            log.write("%s %s\\n" % ({{FIFREEZE: "freeze", FITHAW: "thaw"}}[number], name))
"""


def _guard(folder: str) -> bytes:
    source = (pkgutil.get_data("kvmmanager_agent.linux", "freeze_guard.py") or b"").decode("utf-8")
    places = {name: os.path.join(folder, name) for name in ("fail", "slow", "thawed")}
    fake = _FAKE.format(log=os.path.join(folder, "ioctls"), **places)
    return source.replace("import fcntl\n", fake).encode("utf-8")


def run(handle: int, config: str) -> int:
    """Serve a descriptor until it is stopped."""
    scratch = os.path.dirname(config)
    found = []
    for number, part in enumerate(("first", "second")):
        os.mkdir(os.path.join(scratch, part))
        found.append(mounts.Mount(str(number), os.path.join(scratch, part), "ext4", "/dev/none", False))
    guard = _guard(scratch)

    def thawed_by_the_agent(_handles: List[int]) -> None:
        """What the agent itself does when its guard was killed."""
        with open(os.path.join(scratch, "ioctls"), "a", encoding="ascii") as log:
            log.write("agent\n")

    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(mounts, "local", lambda: iter(found)))
        stack.enter_context(mock.patch.object(pkgutil, "get_data", lambda *_arguments: guard))
        stack.enter_context(mock.patch.object(freezer.freeze_guard, "thaw", thawed_by_the_agent))
        return serve.run(handle, config)
