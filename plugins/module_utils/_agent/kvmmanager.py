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
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.transfer import download, upload
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline

SMALL = 60.0  # seconds that a request may take which only looks something up
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
        }
        doing = f"run {command.argv[0]}" if command.argv else "run a command"
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

    def get(self, path: str, sink: BinaryIO, *, timeout: float, progress: Progress | None = None) -> FileFacts:
        """See `Guest`."""
        deadline = Deadline(timeout)
        return self._persist(deadline, download(self.where, path, sink, deadline, progress, lambda: self.session))

    def stat(self, path: str, sha256: bool = False) -> FileFacts | None:
        """See `Guest`."""
        try:
            found = self._call("file_stat", {"path": path, "sha256": sha256 or None}, 600, f"look at {path}")
        except GuestError as error:
            if error.code == wire.NOT_FOUND:
                return None
            raise
        return Answer(self.where, "file_stat", found).file_facts()

    def list(self, path: str) -> Iterator[tuple[str, FileFacts]]:
        """See `Guest`."""
        after, count, more = "", 0, True
        while more:
            found = self._call("file_list", {"path": path, "after": after or None}, SMALL, f"list {path}")
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

    def mkdir(self, path: str, mode: int = 0o755) -> None:
        """See `Guest`."""
        self._call("file_mkdir", {"path": path, "mode": mode}, SMALL, f"make the directory {path}")

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

    def _order(self, method: str, doing: str) -> None:
        try:
            self._call(method, {}, SMALL, doing)
        except GuestUnreachable:
            return  # the answer went with the machine, as it may

    def _processes(self) -> Sequence[Any]:
        found = []
        after = 0
        while True:
            params = {"after": after, "limit": 500}
            answer = Answer(
                self.where, "get_processes", self._call("get_processes", params, SMALL, "list its processes")
            )
            for entry in answer.entries("processes", 500):
                if Answer(self.where, "get_processes", entry).integer("pid") <= after:
                    raise answer.wrong("processes in the order of their numbers")
                after = entry["pid"]
                found.append(entry)
            if not answer.flag("more") or not answer.get("processes") or len(found) > _MOST_PROCESSES:
                return found

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
            except GuestUnreachable:
                self.session.close()
                if deadline.passed:
                    raise
            again = True
            # A guest that has gone for good is reported as such by this.
            self.session = self._connect(deadline)


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
