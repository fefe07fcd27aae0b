# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The states of a domain, in the words of this collection."""

from __future__ import annotations

# virDomainState by number: https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainState
# A guest that waits for I/O (blocked) or is on its way down (shutdown) is running until it has stopped.
_WORDS = {
    0: "running",  # NOSTATE
    1: "running",  # RUNNING
    2: "running",  # BLOCKED
    3: "paused",
    4: "running",  # SHUTDOWN: being shut down
    5: "stopped",  # SHUTOFF
    6: "crashed",
    7: "suspended",  # PMSUSPENDED: asleep, as its guest asked for
}

STATES = ("running", "paused", "stopped", "crashed", "suspended")


def state_word(number: int) -> str:
    """The word for one of libvirt's virDomainState numbers; a number of a later libvirt is ``unknown``."""
    return _WORDS.get(number, "unknown")
