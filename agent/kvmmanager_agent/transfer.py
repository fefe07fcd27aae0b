# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole files, in both directions."""

import contextlib
import importlib
import os
import stat
import threading
from typing import Any, List, Optional, Tuple

from . import names, wire

Pieces = List[wire.Payload]

_STREAM = "content"
_NO_THREAD = 256 * 1024  # bytes that are hashed without a thread


class Download:
    """A file on its way to the host.

    :param offset: where the host wants to go on; what is before is only read for the checksum.
    """

    def __init__(self, job: Any, handle: int, offset: int) -> None:
        self._job = job
        self._handle = handle
        self._offset = offset

    def run(self) -> Tuple[str, int]:
        """Send it; checksum and size of the whole as it was read."""
        size = os.fstat(self._handle).st_size
        if self._offset > size:
            raise wire.WireError(wire.BAD_STREAM, f"the file has {size} bytes, fewer than the offset")
        position = self._offset
        with Digest(hash_of(self._job, self._handle, position)) as digest:
            self._job.begin(_STREAM, position)
            pieces = self._read(position)
            while pieces:
                digest.update(pieces)
                for piece in pieces:
                    self._job.send(_STREAM, piece)
                    position += len(piece)
                pieces = self._read(position)
            self._job.send(_STREAM, b"", eof=True)
            return digest.hexdigest(), position

    def _read(self, position: int) -> Pieces:
        """Some of what is there."""
        pieces: Pieces = []
        for _number in range(max(1, self._job.at_once // wire.MAX_PAYLOAD)):
            piece = os.pread(self._handle, wire.MAX_PAYLOAD, position)
            if not piece:
                break
            pieces.append(piece)
            position += len(piece)
        return pieces


class Upload:
    """A file on its way from the host, through a temporary file beside the one that it will replace.

    The temporary file's name follows from the target and the checksum: a second try finds what the first has
    left. It stays when the host vanishes and is removed when the transfer cannot succeed.

    :param folder: the descriptor of the target's directory.
    """

    def __init__(self, job: Any, folder: int, name: bytes, size: int, sha256: str) -> None:
        self._job = job
        self._folder = folder
        self._name = name
        self._size = size
        self._sha256 = sha256
        key = _sha256(name + b"\0" + sha256.encode("ascii")).hexdigest()[:32]
        self._partial = b".kvmmanager-" + key.encode("ascii") + b".part"

    def run(self, resume: bool, mode: Optional[int], owner: Optional[int], group: Optional[int]) -> int:
        """Receive it and put it in place; how many bytes came in this time."""
        where = os.fstat(self._folder)
        with self._job.alone((where.st_dev, where.st_ino, self._partial)):
            return self._run(resume, mode, owner, group)

    def _run(self, resume: bool, mode: Optional[int], owner: Optional[int], group: Optional[int]) -> int:
        replaced = self._replaced()
        handle = self._open_partial()
        try:
            begin = self._begin(handle, resume)
            try:
                self._fill(handle, begin)
                _set_owner(handle, replaced, owner, group)
                os.fchmod(handle, mode if mode is not None else stat.S_IMODE(replaced.st_mode) if replaced else 0o600)
                os.fsync(handle)
                os.rename(self._partial, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            except (wire.WireError, OSError) as error:
                if not _is_interruption(error):
                    os.unlink(self._partial, dir_fd=self._folder)
                raise
            os.fsync(self._folder)
            return self._size - begin
        finally:
            os.close(handle)

    def _replaced(self) -> Optional[os.stat_result]:
        """The file that stands there now; whatever else stands there is not replaced."""
        try:
            found = os.stat(self._name, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(found.st_mode):
            raise wire.WireError(wire.WRONG_TYPE, f"{names.decode(self._name)} is there and not a regular file")
        return found

    def _open_partial(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        handle = os.open(self._partial, flags, 0o600, dir_fd=self._folder)
        found = os.fstat(handle)
        # Somebody else's file, or a second name of one, was put there to be written through.
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink != 1:
            os.close(handle)
            raise wire.WireError(wire.WRONG_TYPE, f"{names.decode(self._partial)} is in the way; remove it")
        return handle

    def _begin(self, handle: int, resume: bool) -> int:
        """Keep what an interrupted transfer has left, if wanted; where to go on."""
        if not resume or os.fstat(handle).st_size > self._size:
            os.ftruncate(handle, 0)
        return os.fstat(handle).st_size

    def _fill(self, handle: int, position: int) -> None:
        with Digest(hash_of(self._job, handle, position)) as digest:
            self._job.expect(_STREAM, position)
            eof = False
            while not eof:
                pieces, eof = self._next(handle, position)
                if position + sum(map(len, pieces)) > self._size:
                    raise wire.WireError(wire.BAD_STREAM, f"more came than the {self._size} bytes announced")
                digest.update(pieces)
                for piece in pieces:
                    _write(handle, piece, position)
                    position += len(piece)
            if position != self._size or digest.hexdigest() != self._sha256:
                message = "what came is not what was announced; the file was left as it was"
                raise wire.WireError(wire.BAD_CHECKSUM, message)

    def _next(self, handle: int, position: int) -> Tuple[Pieces, bool]:
        try:
            found: Tuple[Pieces, bool] = self._job.receive(_STREAM)
        except wire.WireError:
            # A second try goes on after all that has come.
            for piece in self._job.rest(_STREAM):
                kept = piece[: max(0, self._size - position)]
                _write(handle, kept, position)
                position += len(kept)
            raise
        return found


class Digest:
    """Goes on with a running checksum in a thread of its own, while the caller does what else is to be done.

    To compute one takes longer than to read and write what it is of. The first bytes need no thread: it takes time to
    start one, as much as for those.
    """

    def __init__(self, digest: Any) -> None:
        self._digest = digest
        self._left = _NO_THREAD
        self._pieces: Pieces = []  # none: there are no more
        self._given, self._done = threading.Lock(), threading.Lock()
        self._given.acquire()
        self._thread: Optional[threading.Thread] = None
        self._error: Optional[Exception] = None  # what went wrong in there

    def __enter__(self) -> "Digest":
        return self

    def __exit__(self, *_error: Any) -> None:
        self._finish()

    def update(self, pieces: Pieces) -> None:
        """Take the next pieces, as soon as those before them are done."""
        self._left -= sum(map(len, pieces))
        if self._left < 0 and self._thread is None:
            self._start()
        if self._thread is None:
            self._add(pieces)
        elif pieces:
            self._give(pieces)

    def hexdigest(self) -> str:
        """The checksum of all that was given."""
        self._finish()
        if self._error is not None:
            raise self._error
        return str(self._digest.hexdigest())

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, daemon=True)
        # Where there are too many threads it is slower.
        with contextlib.suppress(RuntimeError):
            thread.start()
            self._thread = thread

    def _give(self, pieces: Pieces) -> None:
        self._done.acquire()
        self._pieces = pieces
        self._given.release()

    def _run(self) -> None:
        while True:
            self._given.acquire()
            if not self._pieces:
                return
            try:
                self._add(self._pieces)
            except Exception as error:
                self._error = error
            # Whatever became of them: else the caller would wait for ever.
            self._done.release()

    def _add(self, pieces: Pieces) -> None:
        for piece in pieces:
            self._digest.update(piece)

    def _finish(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._give([])
            thread.join()


def hash_of(job: Any, handle: int, end: Optional[int] = None) -> Any:
    """The running sha256 of a file's first bytes, or of all of it."""
    digest = _sha256()
    position = 0
    while end is None or position < end:
        job.check()
        piece = os.pread(handle, wire.MAX_PAYLOAD if end is None else min(wire.MAX_PAYLOAD, end - position), position)
        if not piece:
            break
        digest.update(piece)
        position += len(piece)
    return digest


def _sha256(content: bytes = b"") -> Any:
    # It loads OpenSSL, of four megabytes, which an agent that is never asked for files does without.
    return importlib.import_module("hashlib").sha256(content)


def _write(handle: int, payload: wire.Payload, position: int) -> None:
    rest = memoryview(payload)
    while rest:
        written = os.pwrite(handle, rest, position)
        position += written
        rest = rest[written:]


def _set_owner(handle: int, replaced: Optional[os.stat_result], owner: Optional[int], group: Optional[int]) -> None:
    if owner is None:
        owner = replaced.st_uid if replaced else -1
    if group is None:
        group = replaced.st_gid if replaced else -1
    if (owner, group) != (-1, -1):
        os.fchown(handle, owner, group)


def _is_interruption(error: Exception) -> bool:
    """Whether a second try could go on from here."""
    return isinstance(error, wire.WireError) and error.code in (wire.CANCELLED, wire.TIMED_OUT)
