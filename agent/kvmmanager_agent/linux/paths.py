# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening files below allowed folders, whatever links and races their users set up.

Nothing is ever looked up by name twice: what is checked is the descriptor that is used. Symbolic links are not
followed at all, because who may write to a folder below a root could point one anywhere.
"""

import contextlib
import ctypes
import errno
import os
import stat
from typing import Iterator, List, Sequence, Tuple

from .. import names
from ..wire import DENIED, NOT_FOUND, WRONG_TYPE, WireError

_OPENAT2 = 437  # the same number on every architecture
# linux/openat2.h: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS
_RESOLVE = 0x08 | 0x04 | 0x02
_ALWAYS = os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
# Absent before Linux 5.6; a seccomp filter of a container says EPERM instead.
_NO_OPENAT2 = (errno.ENOSYS, errno.EPERM)
_LINK_ERRORS = (errno.ELOOP, errno.EXDEV)

_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


class Roots:
    """The folders below which paths are allowed.

    :param roots: absolute folders. The administrator names them: links in them are followed.
    :param verb: for errors, what the roots allow: "read" or "change".
    """

    def __init__(self, roots: Sequence[str], verb: str) -> None:
        self._roots = sorted(roots, key=len, reverse=True)
        self._verb = verb

    def has(self, path: str) -> bool:
        """Whether a path is itself one of the roots."""
        return not self._split(path)[1]

    @contextlib.contextmanager
    def file(self, path: str, flags: int) -> Iterator[int]:
        """Open an existing regular file; a descriptor."""
        with self.parent(path) as (folder, name):
            handle = open_regular(folder, name, flags, path)
            try:
                yield handle
            finally:
                os.close(handle)

    @contextlib.contextmanager
    def folder(self, path: str) -> Iterator[int]:
        """Open an existing folder; a descriptor to list it with."""
        handle = self._open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield handle
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def parent(self, path: str) -> Iterator[Tuple[int, bytes]]:
        """Open the folder that a path is in; its descriptor, and the last part of the path."""
        _root, parts = self._split(path)
        if not parts:
            raise WireError(DENIED, f"{path} is itself what the guest's policy allows, not below it")
        with self.folder(path.rstrip("/").rpartition("/")[0] or "/") as handle:
            yield handle, names.encode(parts[-1])

    def _split(self, path: str) -> Tuple[str, List[str]]:
        """The root that a path is below, and what follows."""
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if not path.startswith("/") or ".." in parts:
            raise WireError(DENIED, f"{path} is not an absolute path without ..")
        for root in self._roots:
            inside = [part for part in root.split("/") if part]
            if parts[: len(inside)] == inside:
                return root, parts[len(inside) :]
        raise WireError(DENIED, f"the guest's policy does not allow to {self._verb} {path}")

    def _open(self, path: str, flags: int) -> int:
        root, parts = self._split(path)
        below = os.open(names.encode(root), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return open_below(below, [names.encode(part) for part in parts], flags)
        except OSError as error:
            raise _refusal(error, path) from None
        finally:
            os.close(below)


def open_below(folder: int, parts: List[bytes], flags: int) -> int:
    """Open what lies below a folder, following no link and leaving it by no way; OSError when that fails."""
    if not parts:
        return os.open(".", flags | _ALWAYS, dir_fd=folder)
    try:
        return _openat2(folder, b"/".join(parts), flags | _ALWAYS)
    except OSError as error:
        if error.errno not in _NO_OPENAT2:
            raise
    return walk(folder, parts, flags)


def walk(folder: int, parts: List[bytes], flags: int) -> int:
    """`open_below` for kernels without openat2: one part at a time, each without following a link."""
    here = os.dup(folder)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            os.close(here)
            here = below
        return os.open(parts[-1], flags | os.O_NOFOLLOW | _ALWAYS, dir_fd=here)
    finally:
        os.close(here)


def open_regular(folder: int, name: bytes, flags: int, path: str) -> int:
    """Open a regular file in an open folder.

    Opening a device or a FIFO can already do something, so it is looked at first, and again when it is open.
    """
    before = os.stat(name, dir_fd=folder, follow_symlinks=False)
    check_regular(before, path)
    try:
        handle = os.open(name, flags | os.O_NOFOLLOW | _ALWAYS, dir_fd=folder)
    except OSError as error:
        raise _refusal(error, path) from None
    after = os.fstat(handle)
    if (before.st_dev, before.st_ino) != (after.st_dev, after.st_ino) or not stat.S_ISREG(after.st_mode):
        os.close(handle)
        raise WireError(WRONG_TYPE, f"{path} was replaced while it was opened")
    return handle


def check_regular(found: os.stat_result, path: str) -> None:
    """`WireError` when it is not a regular file."""
    if not stat.S_ISREG(found.st_mode):
        raise WireError(WRONG_TYPE, f"{path} is not a regular file but a {kind_of(found.st_mode)}")


def kind_of(mode: int) -> str:
    """The type of a file in one word."""
    kinds = {
        stat.S_IFREG: "file",
        stat.S_IFDIR: "directory",
        stat.S_IFLNK: "link",
        stat.S_IFIFO: "fifo",
        stat.S_IFSOCK: "socket",
        stat.S_IFCHR: "device",
        stat.S_IFBLK: "device",
    }
    return kinds.get(stat.S_IFMT(mode), "other")


def _openat2(folder: int, path: bytes, flags: int) -> int:
    how = _OpenHow(flags, 0, _RESOLVE)
    handle = _libc.syscall(_OPENAT2, folder, path, ctypes.byref(how), ctypes.sizeof(how))
    if handle < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(handle)


def _refusal(error: OSError, path: str) -> Exception:
    if error.errno in _LINK_ERRORS:
        return WireError(WRONG_TYPE, f"{path} leads through a symbolic link; give the path that it points to")
    if error.errno == errno.ENOTDIR:
        return WireError(WRONG_TYPE, f"{path} leads through something that is not a directory, or is a link")
    if error.errno == errno.ENOENT:
        return WireError(NOT_FOUND, f"the guest has no {path}")
    return OSError(error.errno, os.strerror(error.errno or 0), path)
