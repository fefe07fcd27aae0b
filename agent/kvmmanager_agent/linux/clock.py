# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock of this machine."""

import os
import time

from ..wire import WireError
from . import programs

_HARDWARE = ("/dev/rtc", "/dev/rtc0")


def set_clock(moment: float) -> bool:
    """Set it to seconds since 1970; whether the hardware clock could be set as well, which survives a reboot."""
    time.clock_settime(time.CLOCK_REALTIME, moment)
    return set_hardware_clock()


def set_hardware_clock() -> bool:
    """Copy the system's time to the hardware clock, where there is one that hwclock(8) can set."""
    program = programs.find("hwclock")
    if program is None or not any(map(os.path.exists, _HARDWARE)):
        return False
    try:
        return not programs.run([program, "--systohc"]).returncode
    except WireError:
        return False
