# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Methods that run commands."""

import base64
import binascii
import signal
from typing import Any, Dict

from . import wire
from .execution import Command, Execution
from .linux import users
from .params import Param, flag, mapping, optional, text, words
from .policy import SEARCH_PATH
from .registry import method

# Both outputs of exec_command fit into one line as base64, with room for the rest of the answer.
INLINE_OUTPUT = 44 * 1024

_COMMAND: Dict[str, Param] = {
    "argv": Param(words()),
    "cwd": optional(text()),
    "env": optional(mapping, {}),
    "user": optional(text(256)),
}


@method("exec_command", "full", {**_COMMAND, "stdin": optional(text(wire.MAX_BASE64), "")})
def exec_command(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """Run a command and answer with what it wrote, as far as one line holds it."""
    try:
        stdin = base64.b64decode(params["stdin"], validate=True)
    except (ValueError, binascii.Error):
        raise wire.WireError(wire.INVALID_PARAMS, "stdin must be base64") from None
    collected = Collected(stdin)
    result = Execution(job, _command(job, params), collected).run()
    for name, output in collected.output.items():
        result[name] = base64.b64encode(output).decode("ascii")
        result[name + "_truncated"] = result[name + "_bytes"] > len(output)
    return result


def _stdin(params: Dict[str, Any]) -> str:
    return "stdin" if params["stdin"] else ""


@method("exec", "full", {**_COMMAND, "stdin": optional(flag, False), "warm": optional(flag, False)}, stream=_stdin)
def exec_streamed(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """Run a command; its output is pushed as it comes, and its input taken, as streams."""
    streamed = Streamed(job, params["stdin"])
    command = _command(job, params)
    if params["warm"] and params["stdin"] and _could_be_warm(params):
        command = command._replace(warm=job.policy.limits.warm_python)
    result = Execution(job, command, streamed).run()
    for name, passed in streamed.passed.items():
        result[name + "_truncated"] = result[name + "_bytes"] > passed
    return result


@method("exec_signal", "full", {"of": Param(text(128)), "signal": Param(text(16))}, instant=True)
def exec_signal(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """Send a signal to a command that runs in this session, and to all that it started in its process group."""
    number = getattr(signal, "SIG" + params["signal"], None)
    if not isinstance(number, signal.Signals):
        raise wire.WireError(wire.INVALID_PARAMS, "signal must be a name like TERM")
    target = job.session.jobs.get(params["of"])
    if target is None or target.send_signal is None:
        raise wire.WireError(wire.NOT_FOUND, "no such command runs")
    target.send_signal(number)
    return {}


def _could_be_warm(params: Dict[str, Any]) -> bool:
    """Whether nothing is asked for that a Python can only be told when it starts."""
    return len(params["argv"]) == 1 and not params["env"] and not params["user"]


def _command(job: Any, params: Dict[str, Any]) -> Command:
    job.subject = params["argv"][0]  # for a refusal; then what was found
    path = job.subject = job.policy.program(params["argv"][0])
    argv = params["argv"]
    if job.policy.programs is not None:
        if params["env"]:
            # LD_PRELOAD, PYTHONSTARTUP and the like would run other code than what is allowed.
            raise wire.WireError(wire.DENIED, "the guest's policy lists its programs; it allows no environment")
        argv = [path] + argv[1:]
    account = users.account(params["user"])
    env = {"PATH": SEARCH_PATH, "LANG": "C.UTF-8", **account.environment(), **params["env"]}
    return Command(path, argv, params["cwd"] or account.home, env, account if params["user"] else None)


class Collected:
    """Keeps the beginning of what a command writes, and hands it one piece of input."""

    def __init__(self, stdin: bytes) -> None:
        self.output = {"stdout": b"", "stderr": b""}
        self.has_stdin = bool(stdin)
        self._stdin = stdin

    def room(self, _stream: str) -> int:
        """How much can be taken now: what is too much is thrown away, so always some."""
        return wire.MAX_PAYLOAD

    def take(self, stream: str, payload: bytes) -> None:
        """Take output; an empty piece is its end."""
        kept = self.output[stream]
        self.output[stream] = kept + payload[: INLINE_OUTPUT - len(kept)]

    def give(self) -> Any:
        """The next piece of input and whether it is the last."""
        return self._stdin, True


class Streamed:
    """Passes output on to the host, up to the policy's limit, and the host's input to the command."""

    def __init__(self, job: Any, has_stdin: bool) -> None:
        self.passed = {"stdout": 0, "stderr": 0}
        self.has_stdin = has_stdin
        self._job = job

    def room(self, stream: str) -> int:
        """How much can be taken now; none while the host has given no credit."""
        if self.passed[stream] >= self._job.policy.limits.output:
            return wire.MAX_PAYLOAD
        return int(self._job.room(stream))

    def take(self, stream: str, payload: bytes) -> None:
        """Take output; an empty piece is its end."""
        kept = payload[: self._job.policy.limits.output - self.passed[stream]]
        self.passed[stream] += len(kept)
        if kept or not payload:
            self._job.push(stream, kept, eof=not payload)

    def give(self) -> Any:
        """The next piece of input and whether it is the last; None while there is none."""
        return self._job.received("stdin")
