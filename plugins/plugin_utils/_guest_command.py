# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running a command in a guest: the task of the module guest_command."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import Command, GuestError
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import MAX_OUTPUT
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_action import GuestTask

_LONGEST_SHOWN = 2000  # characters of a line that is shown while the command runs


class Output:
    """What a command writes: kept up to a limit, and shown line by line while it comes.

    :param show: is given each line, without control characters.
    """

    def __init__(self, show: Callable[[str], None], limit: int = MAX_OUTPUT) -> None:
        self._show = show
        self._limit = limit
        self._kept = {"stdout": bytearray(), "stderr": bytearray()}
        self._unfinished = {"stdout": b"", "stderr": b""}
        self.truncated: set[str] = set()

    def take(self, stream: str, piece: bytes) -> None:
        """Keep and show the next piece of ``stdout`` or ``stderr``."""
        kept = self._kept[stream]
        room = self._limit - len(kept)
        kept += piece[:room]
        if len(piece) > room:
            self.truncated.add(stream)
        *lines, rest = (self._unfinished[stream] + piece).split(b"\n")
        for line in lines:
            self._show(f"{stream}: {_shown(line)}")
        self._unfinished[stream] = rest[-_LONGEST_SHOWN:]

    def end(self) -> None:
        """Show lines that have no end."""
        for stream, rest in self._unfinished.items():
            if rest:
                self._show(f"{stream}: {_shown(rest)}")
        self._unfinished = {"stdout": b"", "stderr": b""}

    def text(self, stream: str) -> str:
        """What was kept, without the line ends at its end, as ansible.builtin.command has it."""
        return bytes(self._kept[stream]).decode("utf-8", errors="replace").rstrip("\r\n")


class RunCommand(GuestTask):
    """Run the command, unless ``creates`` or ``removes`` says that there is no need."""

    def read(self) -> str:
        """Why the command need not run; empty when it must."""
        creates, removes, timeout = (self.params[name] for name in ("creates", "removes", "timeout"))
        if creates is not None and self.guest.stat(creates, timeout=timeout) is not None:
            return f"Did not run command since '{creates}' exists"
        if removes is not None and self.guest.stat(removes, timeout=timeout) is None:
            return f"Did not run command since '{removes}' does not exist"
        return ""

    def plan(self, current: str) -> Plan:
        """Without ``creates`` and ``removes`` nobody can tell what the command would change: check mode skips it."""
        plan = Plan(result={"cmd": self._shown_command})
        if current:
            plan.result.update(rc=0, stdout="", stderr="", stdout_lines=[], stderr_lines=[], msg=current)
            return plan
        plan.result["msg"] = "The command would have run if not in check mode"
        if self.params["creates"] is None and self.params["removes"] is None:
            plan.result["skipped"] = True
        plan.add("run the command", lambda _hypervisor: self._run())
        return plan

    def finish(self, plan: Plan) -> dict[str, Any]:
        """What the command wrote and how it ended."""
        if not plan.changed:
            return plan.result
        ended = self._ended
        rc = ended.rc
        result = {"cmd": self._shown_command, **self._times(), **self._written(), "rc": rc, "signal": ended.signal}
        result.update(
            {
                f"{stream}_truncated": cut or stream in self._output.truncated
                for stream, cut in (("stdout", ended.stdout_truncated), ("stderr", ended.stderr_truncated))
            }
        )
        if rc != 0:
            killed = f"the command was killed by the signal {ended.signal}"
            result.update(failed=True, msg=killed if ended.signal else "non-zero return code")
        return result

    @property
    def _shown_command(self) -> Any:
        return self.params["argv"] or self.params["cmd"]

    def _run(self) -> None:
        params = self.params
        argv = params["argv"] or ["/bin/sh", "-c", params["cmd"]]
        environment = {str(name): str(value) for name, value in (params["env"] or {}).items()}
        command = Command([str(word) for word in argv], params["chdir"], environment, params["user"])
        stdin = None if params["stdin"] is None else params["stdin"].encode("utf-8", errors="surrogateescape")
        self._output = Output(self.context.show)
        self._start = datetime.datetime.now()
        try:
            self._ended = self.guest.run(command, params["timeout"], stdin, self._output.take)
        except GuestError as error:
            if error.code != wire.TIMED_OUT:
                raise
            raise Failure(
                f"The command did not end within {params['timeout']:g} seconds (timeout) and was stopped.",
                **self._times(),
                **self._written(),
            ) from error
        finally:
            self._output.end()

    def _times(self) -> dict[str, str]:
        end = datetime.datetime.now()
        return {"start": str(self._start), "end": str(end), "delta": str(end - self._start)}

    def _written(self) -> dict[str, Any]:
        texts = {stream: self._output.text(stream) for stream in ("stdout", "stderr")}
        return {**texts, **{f"{stream}_lines": text.splitlines() for stream, text in texts.items()}}


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", errors="replace")[:_LONGEST_SHOWN].rstrip("\r")
    return "".join(letter if letter.isprintable() or letter == "\t" else "?" for letter in text)
