# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A guest with qemu-guest-agent: what that cannot do itself is done with the usual programs in the guest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import qemu_files, wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import (
    Command,
    Ended,
    FileFacts,
    Guest,
    GuestError,
    Input,
    OnOutput,
    Progress,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.qemu_calls import QemuCalls
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.qemu_info import TOPICS
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.qemu_programs import execute
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt

_DEFAULT_SECONDS = 60.0  # for a call without a timeout


class QemuGuest(Guest):
    """`Guest` over qemu-guest-agent, through libvirt, which lets many programs use it at once.

    See https://qemu-project.gitlab.io/qemu/interop/qemu-ga-ref.html for its commands.
    """

    agent = "qemu"

    def __init__(self, hypervisor: Hypervisor, domain: Any, where: str, deadline: Deadline) -> None:
        self.where = where
        self._hypervisor = hypervisor
        self._domain = domain
        self._calls = QemuCalls(hypervisor, domain.UUIDString(), where)
        self._facts = self._calls.object("guest-info", {}, deadline.remaining or _DEFAULT_SECONDS)
        self.methods = frozenset(_enabled(self._facts))

    def call(self, method: str, params: dict[str, Any] | None = None, timeout: float | None = None) -> dict[str, Any]:
        """See `Guest`."""
        answer = self._calls.answer(method, params or {}, timeout or _DEFAULT_SECONDS)
        return answer if isinstance(answer, dict) else {"return": answer}

    def run(self, command: Command, timeout: float, stdin: Input = None, on_output: OnOutput | None = None) -> Ended:
        """See `Guest`."""
        content = stdin if isinstance(stdin, bytes) or stdin is None else stdin.read()
        ended = execute(self._calls, command, Deadline(timeout), content)
        if on_output is None:
            return ended
        for stream, piece in (("stdout", ended.stdout), ("stderr", ended.stderr)):
            if piece:
                on_output(stream, piece)
        return replace(ended, stdout=b"", stderr=b"")

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
        """See `Guest`. After a break it begins anew: this agent keeps nothing."""
        wanted = qemu_files.Attributes(mode, owner, group)
        qemu_files.upload(self._calls, source, path, wanted, Deadline(timeout), progress)

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
        return qemu_files.download(self._calls, path, sink, Deadline(timeout), progress, most)

    def stat(self, path: str, sha256: bool = False, timeout: float | None = None) -> FileFacts | None:
        """See `Guest`."""
        return qemu_files.stat(self._calls, path, sha256, _deadline(timeout))

    def list(self, path: str, timeout: float | None = None) -> Iterator[tuple[str, FileFacts]]:
        """See `Guest`."""
        return iter(qemu_files.entries(self._calls, path, _deadline(timeout)))

    def mkdir(self, path: str, mode: int = 0o755, timeout: float | None = None) -> None:
        """See `Guest`."""
        qemu_files.mkdir(self._calls, path, mode, _deadline(timeout))

    def remove(self, path: str) -> None:
        """See `Guest`."""
        qemu_files.remove(self._calls, path)

    def info(self, topic: str) -> dict[str, Any]:
        """See `Guest`. What this agent does not know is None."""
        if topic == "agent":
            return {"agent": str(self._facts.get("version", "")), "os": None, "profile": None, "limits": None} | {
                "methods": sorted(self.methods)
            }
        if topic not in TOPICS:
            raise GuestError(
                wire.UNSUPPORTED,
                f"qemu-guest-agent cannot tell about the {topic} of {self.where}. Install kvmmanager-agent there.",
            )
        return TOPICS[topic](self._calls)

    def shutdown(self) -> None:
        """See `Guest`."""
        self._order("power off", self._domain.shutdownFlags, libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)

    def reboot(self) -> None:
        """See `Guest`."""
        self._order("start again", self._domain.reboot, libvirt.VIR_DOMAIN_REBOOT_GUEST_AGENT)

    @property
    def messages(self) -> tuple[int, int]:
        """See `Guest`. Each call is one of either kind."""
        return self._calls.made, self._calls.made

    def close(self) -> None:
        """See `Guest`. There is nothing to close: each call stands alone."""

    def _order(self, doing: str, function: Any, flag: int) -> None:
        self._hypervisor.call(f"ask {self.where} to {doing}", function, flag)


def _deadline(timeout: float | None) -> Deadline | None:
    return None if timeout is None else Deadline(timeout)


def _enabled(facts: dict[str, Any]) -> Iterator[str]:
    commands = facts.get("supported_commands")
    for command in commands[:1000] if isinstance(commands, list) else ():
        if isinstance(command, dict) and command.get("enabled") is True and isinstance(command.get("name"), str):
            yield command["name"]
