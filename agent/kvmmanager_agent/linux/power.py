# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turning the machine off, through the programs of its init system."""

from typing import List, Tuple

from ..wire import SYSTEM_ERROR, UNSUPPORTED, WireError
from . import programs

# The first program that exists is used: shutdown(8) warns who is logged in, the others are busybox's.
POWER_OFF = (("shutdown", "-P", "now"), ("poweroff",))
REBOOT = (("shutdown", "-r", "now"), ("reboot",))


def order(commands: Tuple[Tuple[str, ...], ...]) -> None:
    """Run the first of some commands that this machine has."""
    argv = _first(commands)
    done = programs.run(argv)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[:500]
        raise WireError(SYSTEM_ERROR, f"{argv[0]} ended with status {done.returncode}: {said}")


def _first(commands: Tuple[Tuple[str, ...], ...]) -> List[str]:
    for command in commands:
        path = programs.find(command[0])
        if path:
            return [path, *command[1:]]
    raise WireError(UNSUPPORTED, "the guest has none of {}".format(", ".join(command[0] for command in commands)))
