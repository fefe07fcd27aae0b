# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an agent says, as sentences for people. A guest's words are cut, and hold no control character."""

from __future__ import annotations

import errno

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import GuestError, SessionEnded
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure, single_line

_LONGEST = 300  # characters

_ADVICE = {
    wire.METHOD_NOT_FOUND: "Upgrade the agent in the guest",
    wire.DENIED: "Allow it in the agent's configuration in the guest, /etc/kvmmanager-agent.json",
    wire.BUSY: "Run the task again later",
    wire.NOT_FOUND: "Check the name",
    wire.UNSUPPORTED: "Use something else for this guest",
    wire.NO_COMMON_VERSION: "Upgrade the agent in the guest, or this collection",
    wire.INTERNAL_ERROR: "Look at the agent's log in the guest",
}
# The same for what the guest's system refused, by its number there.
_ERRNO_ADVICE = {
    errno.ENOSPC: "Free some space in the guest",
    errno.EDQUOT: "Free some space in the guest",
    errno.EROFS: "Look in the guest why it is mounted so that nothing can be written",
    errno.EIO: "Look at the guest's disk, and at the storage of its host",
}


def plain(text: str, longest: int = _LONGEST) -> str:
    """Somebody else's words on one line, bounded, without a control character, without a full stop at the end."""
    cut = text[: 4 * longest]
    return single_line("".join(letter if letter.isprintable() or letter.isspace() else "?" for letter in cut), longest)


def too_slow(where: str, doing: str, seconds: float, silence: float = 0.0) -> GuestError:
    """The error for what was not done in time.

    :param doing: what was asked, to follow "did not ".
    :param silence: seconds for which nothing at all has been heard, where that says something.
    """
    said = f" It has not said anything for {silence:.0f} seconds: it is paused or hangs." if silence else ""
    time = round(seconds, 2 if seconds < 1 else 1)
    return GuestError(wire.TIMED_OUT, f"{where.capitalize()} did not {doing} within {time:g} seconds.{said}")


def refusal(where: str, doing: str, error: wire.WireError, timeout: float) -> Failure:
    """The error for what the agent answered.

    :param doing: what was asked, to follow "cannot ".
    """
    if error.code == wire.NO_SESSION:
        return SessionEnded(
            f"The session with {where} was ended by another program, or the agent started again. Run the task again."
        )
    if error.code == wire.TIMED_OUT:
        return too_slow(where, doing, timeout)
    number = (error.data or {}).get("errno") if error.code == wire.SYSTEM_ERROR else None
    advice = _ADVICE.get(error.code, "") or (_ERRNO_ADVICE.get(number, "") if isinstance(number, int) else "")
    message = f"{where.capitalize()} cannot {doing}: {plain(error.message)}." + (f" {advice}." if advice else "")
    return GuestError(error.code, message, error.data)
