# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A guest with our own agent."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.answers import Answer
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.exchange import Outgoing, Sink
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import (
    Command,
    Ended,
    FileFacts,
    Guest,
    GuestError,
    GuestUnreachable,
    Input,
    OnOutput,
    Progress,
    SessionEnded,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.output import Output
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.session import Session
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.transfer import Incoming, download, upload
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.wording import too_slow
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

SMALL = 60.0  # seconds that a request may take which only looks something up
_LARGE = 600.0  # seconds that one may take which reads a whole file
_SECOND_SESSION = 30.0  # seconds for opening another one
_MOST_ENTRIES = 1_000_000  # of a directory; what lists more is no directory
_MOST_PROCESSES = 100_000

_TOPICS = {
    "system": "get_system_info",
    "network": "get_network_info",
    "disks": "get_disk_usage",
    "metrics": "get_metrics",
    "processes": "get_processes",
    "sessions": "get_sessions",
    "agent": "get_agent_info",
}


class KvmmanagerGuest(Guest):
    """`Guest` over agent/PROTOCOL.md.

    :param connect: opens a session until a deadline; used again when one breaks during a transfer.
    """

    agent = "kvmmanager"

    def __init__(self, where: str, connect: Callable[[Deadline], Session], deadline: Deadline) -> None:
        self.where = where
        self._connect = connect
        self.session = connect(deadline)
        self.methods = self.session.methods

    def call(self, method: str, params: dict[str, Any] | None = None, timeout: float | None = None) -> dict[str, Any]:
        """See `Guest`."""
        return self._call(method, params or {}, timeout or SMALL, f"do {method}")

    def run(self, command: Command, timeout: float, stdin: Input = None, on_output: OnOutput | None = None) -> Ended:
        """See `Guest`."""
        streams = {name: Output(name, on_output) for name in ("stdout", "stderr")}
        source = io.BytesIO(stdin) if isinstance(stdin, bytes) else stdin
        params = {
            "argv": command.argv,
            "cwd": command.cwd,
            "env": command.env or None,
            "user": command.user,
            "stdin": source is not None,
            "warm": (command.warm and self._keeps_python) or None,
        }
        doing = f"run {command.argv[0]}" if command.argv else "run a command"
        doing += f" as {command.user}" if command.user else ""
        doing += f" in {command.cwd}" if command.cwd else ""
        sinks: dict[str, Sink] = {name: output.take for name, output in streams.items()}
        begin = 0 if source is None or not source.seekable() else source.tell()

        def execute() -> dict[str, Any]:
            if source is not None and source.seekable():
                source.seek(begin)
            outgoing = None if source is None else Outgoing("stdin", source)
            return self.session.wait(self.session.begin("exec", params, timeout, sinks, outgoing), doing)

        answer = Answer(self.where, "exec", self._in_session(execute))
        signal = None if answer.get("signal") is None else answer.text("signal", 20)
        return Ended(
            exit=answer.integer("exit", 255) if signal is None else None,
            signal=signal,
            stdout=streams["stdout"].content,
            stderr=streams["stderr"].content,
            stdout_truncated=streams["stdout"].truncated or answer.flag("stdout_truncated"),
            stderr_truncated=streams["stderr"].truncated or answer.flag("stderr_truncated"),
        )

    # --- files

    def put(
        self,
        source: BinaryIO,
        path: str,
        *,
        mode: int | None = None,
        owner: str | None = None,
        group: str | None = None,
        timeout: float,
        progress: Progress | None = None,
    ) -> None:
        """See `Guest`."""
        asked = {"path": path, "mode": mode, "owner": owner, "group": group}
        deadline = Deadline(timeout)
        self._persist(deadline, lambda again: upload(self.session, source, asked, deadline, progress, again))

    def get(
        self,
        path: str,
        sink: BinaryIO,
        *,
        timeout: float,
        progress: Progress | None = None,
        most: int | None = None,
    ) -> FileFacts:
        """See `Guest`."""
        deadline = Deadline(timeout)
        attempt = download(self.where, path, Incoming(sink, progress, most), deadline, lambda: self.session)
        return self._persist(deadline, attempt)

    def stat(self, path: str, sha256: bool = False, timeout: float | None = None) -> FileFacts | None:
        """See `Guest`."""
        asked = {"path": path, "sha256": sha256 or None}
        try:
            found = self._call("file_stat", asked, _LARGE if timeout is None else timeout, f"look at {path}")
        except GuestError as error:
            if error.code == wire.NOT_FOUND:
                return None
            raise
        return Answer(self.where, "file_stat", found).file_facts()

    def list(self, path: str, timeout: float | None = None) -> Iterator[tuple[str, FileFacts]]:
        """See `Guest`."""
        after, count, more = "", 0, True
        deadline = Deadline(SMALL if timeout is None else timeout)
        while more:
            remaining = self._time_left(deadline, f"list {path}")
            found = self._call("file_list", {"path": path, "after": after or None}, remaining, f"list {path}")
            answer = Answer(self.where, "file_list", found)
            for entry in answer.entries("entries", 1000):
                one = Answer(self.where, "file_list", entry)
                name, facts = one.file_name(), one.file_facts()
                count += 1
                if _bytes(name) <= _bytes(after) or count > _MOST_ENTRIES:
                    raise answer.wrong("a directory's names in their order")
                after = name
                yield name, facts
            more = answer.flag("more") and bool(answer.get("entries"))

    def mkdir(self, path: str, mode: int = 0o755, timeout: float | None = None) -> None:
        """See `Guest`."""
        asked = {"path": path, "mode": mode}
        self._call("file_mkdir", asked, SMALL if timeout is None else timeout, f"make the directory {path}")

    def remove(self, path: str) -> None:
        """See `Guest`."""
        self._call("file_remove", {"path": path}, SMALL, f"remove {path}")

    # --- the guest

    def info(self, topic: str) -> dict[str, Any]:
        """See `Guest`."""
        method = _TOPICS[topic]
        if topic == "processes":
            return {"processes": self._processes()}
        return self._call(method, {}, SMALL, f"tell about its {topic}")

    def shutdown(self) -> None:
        """See `Guest`."""
        self._order("shutdown", "power off")

    def reboot(self) -> None:
        """See `Guest`."""
        self._order("reboot", "start again")

    @property
    def messages(self) -> tuple[int, int]:
        """See `Guest`."""
        return self.session.sent, self.session.received

    def close(self) -> None:
        """See `Guest`."""
        self.session.close()

    @property
    def _keeps_python(self) -> bool:
        """Whether the agent knows of Pythons that have started already."""
        limits = self.session.facts.get("limits")
        return isinstance(limits, dict) and bool(limits.get("warm_python"))

    def _order(self, method: str, doing: str) -> None:
        try:
            self._call(method, {}, SMALL, doing)
        except GuestUnreachable:
            return  # the answer went with the machine, as it may

    def _processes(self) -> Sequence[Any]:
        found = []
        after = 0
        deadline = Deadline(SMALL)
        doing = "list its processes"
        while True:
            params = {"after": after, "limit": 500}
            told = self._call("get_processes", params, self._time_left(deadline, doing), doing)
            answer = Answer(self.where, "get_processes", told)
            for entry in answer.entries("processes", 500):
                if Answer(self.where, "get_processes", entry).integer("pid") <= after:
                    raise answer.wrong("processes in the order of their numbers")
                after = entry["pid"]
                found.append(entry)
            if not answer.flag("more") or not answer.get("processes") or len(found) > _MOST_PROCESSES:
                return found

    def _time_left(self, deadline: Deadline, doing: str) -> float:
        """Seconds until a deadline; without any left an agent that always has more to say would never be left."""
        remaining = deadline.remaining or 0.0
        if not remaining:
            raise too_slow(self.where, doing, deadline.seconds or 0.0)
        return remaining

    def _call(self, method: str, params: dict[str, Any], timeout: float, doing: str) -> dict[str, Any]:
        return self._in_session(lambda: self.session.call(method, params, timeout, doing))

    def _in_session(self, request: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The answer to a request, which is made again when the agent has ended the session before it.

        That happens when the guest hears late, and after this session has begun, that the program before has left.
        """
        try:
            return request()
        except SessionEnded:
            self.session.close()
            self.session = self._connect(Deadline(_SECOND_SESSION))
            return request()

    def _persist(self, deadline: Deadline, attempt: Callable[[bool], Any]) -> Any:
        """Try a transfer again, from where it broke, as long as there is time.

        :param attempt: is told whether it is not the first.
        """
        again = False
        while True:
            try:
                return attempt(again)
            except GuestUnreachable as broken:
                self.session.close()
                if deadline.passed:
                    raise
                try:
                    self.session = self._connect(deadline)
                except Failure as failure:
                    raise GuestUnreachable(f"{broken.message} Going on failed, too: {failure.message}") from failure
            again = True


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
