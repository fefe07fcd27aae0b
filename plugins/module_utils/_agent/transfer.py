# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole files to and from a guest with our agent: checked from end to end, resumed where they broke."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, BinaryIO

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.answers import Answer
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.exchange import Outgoing
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import (
    FileFacts,
    GuestError,
    Progress,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.session import Session
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline

_BLOCK = 1024 * 1024  # bytes hashed at once
_GROWTH = 64 * 1024 * 1024  # bytes by which any file may grow while it is read
_WORTH_RESUMING = 1024 * 1024  # bytes; for less it is not worth waiting for what the agent has


def measure(source: BinaryIO) -> tuple[int, str]:
    """Size and sha256 of a seekable file, in constant memory; it stands at its beginning afterwards."""
    digest = hashlib.sha256()
    size = 0
    source.seek(0)
    while True:
        block = source.read(_BLOCK)
        if not block:
            break
        digest.update(block)
        size += len(block)
    source.seek(0)
    return size, digest.hexdigest()


class _Counted:
    """A source that tells how far it was read."""

    def __init__(self, source: BinaryIO, size: int, progress: Progress | None) -> None:
        self._source = source
        self._size = size
        self._progress = progress

    def read(self, size: int, /) -> bytes:
        piece = self._source.read(size)
        if self._progress is not None and piece:
            self._progress(self._source.tell())
        return piece

    def seek(self, offset: int) -> None:
        if offset > self._size:
            raise GuestError(wire.BAD_STREAM, "The guest wants more of the file than there is. Check its agent.")
        self._source.seek(offset)


def upload(
    session: Session,
    source: BinaryIO,
    asked: dict[str, Any],
    deadline: Deadline,
    progress: Progress | None,
    again: bool,
) -> None:
    """Send a file with ``file_put``.

    :param asked: path, mode, owner and group.
    :param again: whether an attempt before this one has left a part in the guest.
    """
    size, sha256 = measure(source)
    resume = again or size > _WORTH_RESUMING
    counted = _Counted(source, size, progress)
    outgoing = Outgoing("content", counted, counted.seek if resume else None)
    params = {**asked, "size": size, "sha256": sha256, "resume": resume or None}
    exchange = session.begin("file_put", params, _remaining(deadline), outgoing=outgoing)
    session.wait(exchange, f"take the file {asked['path']}")


class Incoming:
    """A file on its way here, over one session after another.

    :param limit: bytes that may come, whatever the guest says; None: as many as it says.
    :ivar size: bytes that have come.
    :ivar most: bytes that may come.
    """

    def __init__(self, sink: BinaryIO, progress: Progress | None, limit: int | None = None) -> None:
        self.most = 0
        self._limit = limit
        self._sink = sink
        self._progress = progress
        self.begin()

    def expect(self, size: int) -> None:
        """Take what the guest says of the file's size, which may grow, but not without end.

        :raises GuestError: when it is too large.
        """
        if self._limit is not None and size > self._limit:
            raise self._too_large()
        if size < self.size:
            self.begin()  # it was replaced by a shorter one
        self.most = 2 * size + _GROWTH
        if self._limit is not None:
            self.most = min(self.most, self._limit)

    def begin(self) -> None:
        """Forget what has come."""
        self.size = 0
        self._digest = hashlib.sha256()
        self._sink.seek(0)
        self._sink.truncate()

    @property
    def sha256(self) -> str:
        """The checksum of what has come."""
        return self._digest.hexdigest()

    def take(self, piece: bytes) -> None:
        """Take the next piece."""
        if self.size + len(piece) > self.most:
            raise self._too_large()
        self._sink.write(piece)
        self._digest.update(piece)
        self.size += len(piece)
        if self._progress is not None:
            self._progress(self.size)

    def _too_large(self) -> GuestError:
        if self._limit is None:
            return GuestError(wire.TOO_LARGE, "The guest sends far more than the file had. Look at the file there.")
        return GuestError(
            wire.TOO_LARGE,
            f"The file is larger than the {self._limit} bytes that it may have. Look at it in the guest.",
        )


def download(
    where: str,
    path: str,
    received: Incoming,
    deadline: Deadline,
    session: Callable[[], Session],
) -> Callable[[bool], FileFacts]:
    """An attempt at ``file_get``, which goes on where the one before it broke."""

    def attempt(_again: bool) -> FileFacts:
        facts = _fetch(where, path, received, deadline, session())
        if not _is_whole(received, facts):
            # It was changed while it was read, or between two attempts: once more, from its beginning.
            received.begin()
            facts = _fetch(where, path, received, deadline, session())
        if not _is_whole(received, facts):
            raise GuestError(
                wire.BAD_CHECKSUM,
                f"The file {path} changed in {where} while it was read, twice. Run the task again when it rests.",
            )
        return facts

    return attempt


def _fetch(where: str, path: str, received: Incoming, deadline: Deadline, session: Session) -> FileFacts:
    doing = f"give the file {path}"
    found = session.call("file_stat", {"path": path}, min(60.0, _remaining(deadline)), doing)
    received.expect(Answer(where, "file_stat", found).integer("size"))
    offset = received.size
    exchange = session.begin(
        "file_get",
        {"path": path, "offset": offset or None},
        _remaining(deadline),
        sinks={"content": received.take},
        offset=offset,
    )
    return Answer(where, "file_get", session.wait(exchange, doing)).file_facts()


def _is_whole(received: Incoming, facts: FileFacts) -> bool:
    return facts.size == received.size and facts.sha256 == received.sha256


def _remaining(deadline: Deadline) -> float:
    remaining = deadline.remaining
    return 86400.0 if remaining is None else max(remaining, 0.1)
