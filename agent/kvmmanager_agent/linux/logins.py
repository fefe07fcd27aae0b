# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is logged in: systemd-logind's sessions, or utmp(5) where there is no logind."""

import contextlib
import os
import struct
from typing import Any, Dict, Iterator, List

from . import text

_LOGIND = "/run/systemd/sessions"
_UTMP = ("/run/utmp", "/var/run/utmp")
# struct utmp of 64-bit Linux, whose times stayed 32 bits wide: type, pid, line, id, user, host, exit, session, time.
_RECORD = struct.Struct("=h2xi32s4s32s256s4xii4x16x20x")
_USER_PROCESS = 7
_MOST = 500
# sd-login(3). From systemd 256 on root, who may log in before others may, has others than "user".
_CLASSES = ("user", "user-early", "user-light", "user-early-light")


def sessions(logind: str = _LOGIND, utmp: Any = _UTMP) -> List[Dict[str, Any]]:
    """Each session: user, terminal, the host that it came from, and when it began, in seconds since 1970."""
    found = _of_logind(logind) if os.path.isdir(logind) else _of_utmp(utmp)
    return [session for session, _number in zip(found, range(_MOST))]


def _of_logind(folder: str) -> Iterator[Dict[str, Any]]:
    for name in sorted(os.listdir(folder)):
        # Beside each session's file may be a FIFO, NAME.ref.
        if not name.isalnum():
            continue
        values = text.assignments(text.read(os.path.join(folder, name)))
        if values.get("CLASS") in _CLASSES and values.get("STATE") != "closing":
            yield {
                "user": values.get("USER", values.get("UID", "")),
                "terminal": values.get("TTY", ""),
                "from": values.get("REMOTE_HOST", ""),
                "since": int(values.get("REALTIME", "0")) // 1000000,
            }


def _of_utmp(paths: Any) -> Iterator[Dict[str, Any]]:
    for path in paths:
        with contextlib.suppress(OSError), open(path, "rb") as handle:
            content = handle.read(_RECORD.size * 10000)
            break
    else:
        return
    for offset in range(0, len(content) - _RECORD.size + 1, _RECORD.size):
        kind, _pid, line, _id, user, host, _session, since = _RECORD.unpack_from(content, offset)
        if kind == _USER_PROCESS:
            yield {"user": _text(user), "terminal": _text(line), "from": _text(host), "since": since}


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "replace")
