# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be done in a guest, whichever agent runs there. `open_guest` of guest.py gives one.

Everything that a guest says is untrusted: its size is bounded here, its types are checked, and whoever uses it must
never template or run it.
"""

from __future__ import annotations

import abc
import signal as signals
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Union

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

Progress = Callable[[int], None]  # is told how many bytes of the file are through, from its beginning
OnOutput = Callable[[str, bytes], None]  # is given "stdout" or "stderr" and the next piece of it
Input = Union[bytes, BinaryIO, None]

MAX_OUTPUT = 64 * 1024 * 1024  # bytes of stdout, and of stderr, that `Guest.run` collects; the rest is cut


class GuestError(Failure):
    """The guest's agent refused or failed; the message says what was asked, why not, and what to do.

    :ivar code: one of the error codes in wire.py, for either agent.
    :ivar data: what the agent told besides, or an empty dict.
    """

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data or {}


class GuestUnreachable(Failure):
    """The guest cannot be talked to, or not any longer: it is off, has no agent, or the connection broke."""


class SessionEnded(GuestUnreachable):
    """The agent does not know the session that a request belongs to, and has not begun the request."""


@dataclass(frozen=True)
class Command:
    """What to run in the guest.

    :ivar argv: the program, absolute or looked up in the usual folders, and its arguments. No shell.
    :ivar cwd: the working directory; None for the user's home.
    :ivar env: added to a small standard environment.
    :ivar user: whom to run it as; None for the agent's own user, root.
    :ivar warm: the program is a Python that takes what it runs from its input; where the agent has one that has
        started already, it may take that.
    """

    argv: list[str]
    cwd: str | None = None
    env: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    warm: bool = False


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    :ivar exit: its status; None when a signal killed it.
    :ivar signal: the signal's name without SIG, ``KILL`` say; None when it exited.
    :ivar stdout: what it wrote; empty when ``on_output`` took it.
    :ivar stdout_truncated: whether it wrote more than was kept.
    """

    exit: int | None
    signal: str | None
    stdout: bytes = b""
    stderr: bytes = b""
    stdout_truncated: bool = False
    stderr_truncated: bool = False

    @property
    def rc(self) -> int:
        """The return code as Ansible and `subprocess` tell it: minus the number of a signal that killed it."""
        if self.exit is not None:
            return self.exit
        number = getattr(signals, f"SIG{self.signal}", None)
        return -int(number) if isinstance(number, signals.Signals) else -1


@dataclass(frozen=True)
class FileFacts:
    """What a path in the guest is.

    :ivar type: ``file``, ``directory``, ``link``, ``fifo``, ``socket`` or ``device``.
    :ivar mode: the permission bits, 0 to 0o7777.
    :ivar mtime: seconds since 1970.
    :ivar target: where a link points.
    :ivar sha256: of a regular file's content, where it was asked for; 64 lower-case hexadecimal digits.
    """

    type: str
    size: int
    mode: int
    uid: int
    gid: int
    mtime: float
    target: str | None = None
    sha256: str | None = None


class Guest(abc.ABC):
    """One open session with the agent of a guest. Not for several threads at once.

    All methods raise `GuestError` when the agent refuses or fails, and when it takes too long (``TIMED_OUT``), and
    `GuestUnreachable` when the guest is gone. Times are seconds. Paths are absolute.

    :ivar agent: ``kvmmanager`` or ``qemu``.
    :ivar methods: what the guest's policy allows: methods of PROTOCOL.md, or the commands of qemu-guest-agent.
    :ivar where: the domain in words, for messages: ``the guest of 'web1'``.
    """

    agent: str
    methods: frozenset[str]
    where: str

    @abc.abstractmethod
    def call(self, method: str, params: dict[str, Any] | None = None, timeout: float | None = None) -> dict[str, Any]:
        """The answer to one raw call: a method of PROTOCOL.md, or a ``guest-*`` command with its arguments.

        A qemu-guest-agent answer that is no object is given as ``{"return": answer}``.
        """

    @abc.abstractmethod
    def run(self, command: Command, timeout: float, stdin: Input = None, on_output: OnOutput | None = None) -> Ended:
        """Run a command, and wait until it has ended and its output is closed.

        :param stdin: its input, bytes or a binary file that is read as the command takes it.
        :param on_output: takes output as it comes (from qemu-guest-agent: all at the end), instead of `Ended`.
        """

    @abc.abstractmethod
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
        """Write a file into the guest: atomic, its checksum verified, resumed after a break.

        :param source: a seekable binary file, from its beginning.
        :param mode: permission bits; by default those of the file that is replaced, else 0600.
        :param owner: name or number; by default that of the file that is replaced, else the agent's user.
        """

    @abc.abstractmethod
    def get(
        self,
        path: str,
        sink: BinaryIO,
        *,
        timeout: float,
        progress: Progress | None = None,
        most: int | None = None,
    ) -> FileFacts:
        """Write a regular file of the guest into ``sink``, a seekable binary file; its checksum is verified.

        :param most: bytes that it may have, else `GuestError` ``TOO_LARGE``. Where None, what the guest says of the
            file's size is believed, but not that it grows without end.
        """

    @abc.abstractmethod
    def stat(self, path: str, sha256: bool = False, timeout: float | None = None) -> FileFacts | None:
        """What is at ``path``, without following a link at its end; None when there is nothing."""

    @abc.abstractmethod
    def list(self, path: str, timeout: float | None = None) -> Iterator[tuple[str, FileFacts]]:
        """The entries of a directory, each a name and what it is, in the order of their names' bytes.

        :param timeout: until the last of them has been taken.
        """

    @abc.abstractmethod
    def mkdir(self, path: str, mode: int = 0o755, timeout: float | None = None) -> None:
        """Make one directory; `GuestError` ``EXISTS`` when something is there."""

    @abc.abstractmethod
    def remove(self, path: str) -> None:
        """Remove a file, a link or an empty directory; `GuestError` ``NOT_FOUND`` when nothing is there."""

    @abc.abstractmethod
    def info(self, topic: str) -> dict[str, Any]:
        """What the guest says of itself.

        :param topic: ``system``, ``network``, ``disks``, ``metrics``, ``processes``, ``sessions`` or ``agent``; the
            answers have the shapes of the methods ``get_*`` in PROTOCOL.md for either agent. ``UNSUPPORTED`` where
            qemu-guest-agent cannot tell.
        """

    @abc.abstractmethod
    def shutdown(self) -> None:
        """Ask the guest to power off; returns when it has taken the order, not when it is off."""

    @abc.abstractmethod
    def reboot(self) -> None:
        """Ask the guest to start again; returns when it has taken the order."""

    @property
    @abc.abstractmethod
    def messages(self) -> tuple[int, int]:
        """How many messages went to the agent and how many came from it, in the session that is open."""

    @abc.abstractmethod
    def close(self) -> None:
        """End the session. Never fails."""
