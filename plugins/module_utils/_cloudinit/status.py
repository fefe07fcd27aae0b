# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How cloud-init ended in a guest, told by the guest through a port of its virtual serial bus, or by its agent. Pure.

The guest writes `cloud-init status --long` between two lines of ours, again and again: a write to such a port
waits until somebody on the host reads it. All of it is the guest's word, so it is bounded and never trusted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PORT = "org.kvmmanager.cloud_init.0"
BEGIN = "-----BEGIN CLOUD-INIT STATUS-----"
END = "-----END CLOUD-INIT STATUS-----"
# More than cloud-init ever says; a guest that sends more has something else on this port.
MAXIMUM = 64 * 1024

_STATES = ("done", "degraded", "error", "disabled", "running", "not run")
_CONTROL = re.compile(r"[^\t\n\x20-\x7e\xa0-\U0010ffff]")


@dataclass(frozen=True)
class Status:
    """What a guest says of its cloud-init.

    :ivar word: one of ``done``, ``degraded`` (done, with warnings), ``error``, ``disabled``, ``running``,
        ``not run``; ``unknown`` for anything else.
    :ivar report: all that cloud-init said, without control characters.
    """

    word: str
    report: str


def find_status(received: bytes) -> Status | None:
    """The first whole report in what came from the port; None while there is none.

    What came before the first BEGIN line belongs to a reader that gave up, and is left out.
    """
    text = received.decode("utf-8", errors="replace").replace("\r\n", "\n")
    _before, begun, rest = text.partition(BEGIN + "\n")
    report, ended, _after = rest.partition(END)
    if not (begun and ended):
        return None
    return _status(report)


def read_status(said: bytes) -> Status:
    """What `cloud-init status --long` printed, without the lines around it."""
    return _status(said.decode("utf-8", errors="replace").replace("\r\n", "\n"))


def _status(report: str) -> Status:
    report = _CONTROL.sub("", report).strip()
    return Status(_word(report), report)


def _word(report: str) -> str:
    values = dict(re.findall(r"^([a-z_]+): *(.*?) *$", report, re.MULTILINE))
    # cloud-init 23.4 and newer tell "degraded done" and "error - done" apart here; older ones lack the line.
    extended = values.get("extended_status", "")
    if extended.startswith(("degraded", "error")):
        return extended.split()[0]
    status = values.get("status", "")
    return status if status in _STATES else "unknown"
