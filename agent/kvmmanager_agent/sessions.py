# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The handshake: who is the host of this moment, and what may both ends expect of each other."""

import os
import string
import time
from typing import Any, Dict, List, Tuple

from . import VERSION, params, wire
from .jobs import Job
from .linux import system
from .policy import Policy

_NONCE_CHARACTERS = frozenset(string.ascii_letters + string.digits + "-_")


class Session:
    """One host's use of the port, from its hello to the next one or to its disappearance.

    :ivar token: begins every id of the session. The host learns it from the answer to its hello alone, so that
        what an earlier host left behind can never carry it.
    :ivar jobs: requests that run, by id.
    """

    def __init__(self, frames: bool, client: str) -> None:
        self.token = os.urandom(8).hex()
        self.frames = frames
        self.client = client
        self.jobs: Dict[str, Job] = {}
        self._last = 0

    def use(self, number: int) -> None:
        """Take the number of a new request; each is used once, and they only grow."""
        if number <= self._last:
            raise wire.WireError(wire.INVALID_REQUEST, "the id was used already; count upwards")
        self._last = number


def open_session(nonce: str, asked: Dict[str, Any], policy: Policy) -> Tuple[Session, Dict[str, Any]]:
    """Check a hello; the new session and the answer."""
    if not 16 <= len(nonce) <= 64 or not _NONCE_CHARACTERS.issuperset(nonce):
        raise wire.WireError(wire.INVALID_REQUEST, "the id of hello must be 16 to 64 letters, digits, - or _")
    known = {
        "versions": params.Param(_versions),
        "frames": params.optional(params.flag, False),
        "client": params.optional(params.text(100), ""),
    }
    values = params.read(known, asked)
    common = [version for version in values["versions"] if version in wire.VERSIONS]
    if not common:
        data = {"versions": list(wire.VERSIONS)}
        raise wire.WireError(wire.NO_COMMON_VERSION, "this agent speaks none of the host's versions", data)
    client = "".join(character if character.isprintable() else "?" for character in values["client"])
    session = Session(values["frames"], client or "an unnamed client")
    return session, {
        "session": session.token,
        "version": max(common),
        "clock": round(time.monotonic(), 3),
        "frames": session.frames,
        **agent_info(policy),
    }


def agent_info(policy: Policy) -> Dict[str, Any]:
    """Who this agent is and what it allows."""
    return {
        "agent": VERSION,
        "os": system.os_info(),
        "profile": policy.profile,
        "methods": list(policy.methods()),
        "limits": {
            "line": wire.MAX_LINE,
            "payload": wire.MAX_PAYLOAD,
            "window": wire.WINDOW,
            **dict(zip(policy.limits._fields, policy.limits)),
        },
    }


def _is_version(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _versions(value: Any) -> List[int]:
    if not isinstance(value, list) or not 1 <= len(value) <= 100 or not all(_is_version(item) for item in value):
        raise ValueError("a list of version numbers")
    return value
