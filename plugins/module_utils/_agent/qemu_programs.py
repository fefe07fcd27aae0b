# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running programs through qemu-guest-agent, which can neither stop one nor tell when it has ended."""

from __future__ import annotations

import base64
import binascii
import contextlib
import signal as signals
import time
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import Command, Ended, GuestError
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.qemu_calls import QemuCalls
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.wording import too_slow
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline

SECONDS = 60.0  # for a command of the agent that answers at once
PIECE = 64 * 1024  # bytes given to the agent at once; see `MAX_REQUEST`
_FIRST_PAUSE = 0.02  # seconds until a program is asked after again
_LONGEST_PAUSE = 1.0
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
# Bytes of output that are taken, and one more that shows that there was more. libvirt carries answers of 4 MiB, in
# base64. At 10 MiB it talks to the agent no more, which then hangs until somebody kills it in the guest.
_MOST = {"stdout": 2_400_000, "stderr": 500_000}
# Its arguments: a file to take as input, a user, a folder, how much output to take, then the program. Nothing of them
# is part of the script. A group of its own lets the program be stopped with all that it has started. Where no pipes can
# be made, output has no limit.
_SHELL = """
if [ -n "$1" ]; then exec < "$1"; rm -f -- "$1"; fi
user=$2 folder=$3
if pipes=$(mktemp -d 2> /dev/null) && mkfifo -- "$pipes/out" "$pipes/err"; then
    { head -c "$4"; cat > /dev/null; } < "$pipes/out" &
    { head -c "$5"; cat > /dev/null; } < "$pipes/err" >&2 &
    exec > "$pipes/out" 2> "$pipes/err"
    rm -rf -- "$pipes"
fi
shift 5
if [ -n "$user" ]; then home=$(getent passwd "$user" | cut -d : -f 6); else home=~root; fi
export HOME="${home:-/}" USER="${user:-root}" LOGNAME="${user:-root}" SHELL=/bin/sh
cd -- "${folder:-$HOME}" || exit 126
if [ -n "$user" ]; then set -- runuser -u "$user" -- "$@"; fi
if command -v setsid > /dev/null; then exec setsid "$@"; fi
exec "$@"
"""


def execute(calls: QemuCalls, command: Command, deadline: Deadline, stdin: bytes | None) -> Ended:
    """Run a program until it has ended and its output is closed.

    :raises GuestError: ``TIMED_OUT`` when it has not ended at the deadline; it is stopped then.
    """
    later = stdin is not None and len(stdin) > PIECE
    file = _store(calls, stdin or b"") if later else ""
    limits = [str(most + 1) for most in _MOST.values()]
    order: dict[str, Any] = {
        "path": "/bin/sh",
        "arg": ["-c", _SHELL, "sh", file, command.user or "", command.cwd or "", *limits, *command.argv],
        "env": [f"{name}={value}" for name, value in {**_ENVIRONMENT, **command.env}.items()],
        "capture-output": True,
    }
    if stdin is not None and not later:
        order["input-data"] = base64.b64encode(stdin).decode("ascii")
    pid = calls.object("guest-exec", order, SECONDS).get("pid")
    if not isinstance(pid, int) or isinstance(pid, bool):
        raise calls.wrong("guest-exec", "a number as pid")
    pause = _FIRST_PAUSE
    while True:
        status = calls.object("guest-exec-status", {"pid": pid}, SECONDS)
        if status.get("exited") is True:
            return _ended(calls, status)
        if deadline.passed:
            _stop(calls, pid)
            raise too_slow(calls.where, f"run {command.argv[0]}", deadline.seconds or 0.0)
        remaining = deadline.remaining
        time.sleep(pause if remaining is None else min(pause, remaining))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def write(calls: QemuCalls, path: str, pieces: Any) -> None:
    """Write a file that is there, piece by piece."""
    handle = calls.answer("guest-file-open", {"path": path, "mode": "w"}, SECONDS)
    try:
        for piece in pieces:
            data = base64.b64encode(piece).decode("ascii")
            written = calls.object("guest-file-write", {"handle": handle, "buf-b64": data}, SECONDS)
            if written.get("count") != len(piece):
                raise GuestError(
                    wire.SYSTEM_ERROR,
                    f"{calls.where.capitalize()} cannot write {path}. Check that its disk is not full.",
                )
    finally:
        calls.answer("guest-file-close", {"handle": handle}, SECONDS)


def decoded(calls: QemuCalls, command: str, data: Any) -> bytes:
    """The bytes that an answer holds as base64."""
    if not isinstance(data, str):
        raise calls.wrong(command, "text in base64")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise calls.wrong(command, "text in base64") from None


def cut(content: bytes, size: int = PIECE) -> Any:
    """The content in pieces that one command of the agent takes."""
    return (content[begin : begin + size] for begin in range(0, len(content), size))


def _store(calls: QemuCalls, content: bytes) -> str:
    """A temporary file with the content, which only root can read; its path."""
    made = execute(calls, Command(["mktemp"]), Deadline(SECONDS), None)
    path = made.stdout.decode("utf-8", "replace").strip()
    if made.exit != 0 or not path.startswith("/"):
        raise GuestError(wire.SYSTEM_ERROR, f"{calls.where.capitalize()} cannot make a temporary file in /tmp.")
    write(calls, path, cut(content))
    return path


def _ended(calls: QemuCalls, status: dict[str, Any]) -> Ended:
    number = status.get("signal")
    code = status.get("exitcode", -1)
    if not isinstance(code, int) or not isinstance(number, (int, type(None))):
        raise calls.wrong("guest-exec-status", "numbers as exitcode and signal")
    stdout = decoded(calls, "guest-exec-status", status.get("out-data", ""))
    stderr = decoded(calls, "guest-exec-status", status.get("err-data", ""))
    return Ended(
        exit=code if number is None else None,
        signal=None if number is None else _name(number),
        stdout=stdout[: _MOST["stdout"]],
        stderr=stderr[: _MOST["stderr"]],
        stdout_truncated=status.get("out-truncated") is True or len(stdout) > _MOST["stdout"],
        stderr_truncated=status.get("err-truncated") is True or len(stderr) > _MOST["stderr"],
    )


def _name(number: int) -> str:
    try:
        return signals.Signals(number).name[3:]
    except ValueError:
        return str(number)


def _stop(calls: QemuCalls, pid: int) -> None:
    """Kill a program with its group, where it has one of its own."""
    script = 'kill -s KILL -- "-$1" || kill -s KILL "$1"'
    with contextlib.suppress(GuestError):
        order = {"path": "/bin/sh", "arg": ["-c", script, "sh", str(pid)]}
        calls.object("guest-exec", order, SECONDS)
