# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of the controller: those that are copied into a guest, and those that are fetched from one."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

_BLOCK = 1024 * 1024  # bytes hashed at once


@contextlib.contextmanager
def _reading(path: str | None) -> Iterator[None]:
    """What the controller refuses, as a sentence."""
    try:
        yield
    except OSError as error:
        raise Failure(
            f"Cannot read {path} on the controller: {error.strerror}. Check that the user who runs Ansible may."
        ) from error


@dataclass(frozen=True)
class Source:
    """One file to copy.

    :ivar relative: its place below the directory that is copied; empty for a single file.
    :ivar path: where it is; None when ``content`` has it.
    :ivar mode: its permission bits; None for content.
    """

    relative: str
    path: str | None
    content: bytes
    mode: int | None
    size: int

    def open(self) -> BinaryIO:
        """The file, for reading.

        :raises Failure: when the controller refuses.
        """
        if self.path is None:
            return io.BytesIO(self.content)
        with _reading(self.path):
            return open(self.path, "rb")

    def sha256(self) -> str:
        """Its checksum."""
        with self.open() as stream, _reading(self.path):
            return _checksum(stream)


def source_of_text(content: str) -> Source:
    """A file with this content."""
    data = content.encode("utf-8", errors="surrogateescape")
    return Source("", None, data, None, len(data))


def source_of_file(path: str, relative: str, real_file: Callable[[str], str]) -> Source:
    """A file of the controller.

    :param real_file: see `Context.real_file`.
    :raises Failure: when the controller refuses.
    """
    real = real_file(path)
    with _reading(path):
        return Source(relative, real, b"", stat.S_IMODE(os.stat(path).st_mode), os.stat(real).st_size)


@dataclass(frozen=True)
class Directory:
    """One directory to have in the guest.

    :ivar relative: its place below the directory that is copied, never empty.
    :ivar mode: its permission bits.
    """

    relative: str
    mode: int


def tree(top: str, real_file: Callable[[str], str]) -> tuple[list[Directory], list[Source]]:
    """What is below a directory, parents first. Links are followed, as ansible.builtin.copy does.

    :raises Failure: for what is neither a file nor a directory, for a link to nowhere, and for one into its parents.
    """
    directories: list[Directory] = []
    sources: list[Source] = []
    for relative, path in _walk(top, "", (os.path.realpath(top),)):
        with _reading(path):
            mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            directories.append(Directory(relative, stat.S_IMODE(mode)))
        else:
            sources.append(source_of_file(path, relative, real_file))
    return directories, sources


def _walk(top: str, below: str, parents: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    with _reading(top):
        names = sorted(os.listdir(top))
    for name in names:
        path, relative = os.path.join(top, name), f"{below}{name}"
        if os.path.isdir(path):
            real = os.path.realpath(path)
            if real in parents:
                raise Failure(f"{path} is a link to {real}, which holds it, so copying would never end. Remove it.")
            yield relative, path
            yield from _walk(path, f"{relative}/", (*parents, real))
        elif os.path.isfile(path):
            yield relative, path
        else:
            raise Failure(
                f"{path} is neither a file nor a directory, nor a link to one. Remove it, or copy its siblings."
            )


def checksum_of(path: str) -> str | None:
    """The sha256 of a file of the controller; None when there is none.

    :raises Failure: when something else is there, or the controller refuses.
    """
    if not os.path.lexists(path):
        return None
    if not os.path.isfile(path):
        raise Failure(f"{path} exists on the controller and is no file. Name another place, or remove it.")
    with _reading(path), open(path, "rb") as stream:
        return _checksum(stream)


def _checksum(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while True:
        block = stream.read(_BLOCK)
        if not block:
            return digest.hexdigest()
        digest.update(block)


@contextlib.contextmanager
def written(path: str) -> Iterator[BinaryIO]:
    """A file to fill, which takes the place of ``path`` at the end of the ``with`` block unless that fails.

    :raises Failure: when the controller refuses.
    """
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name[:100]}.{os.urandom(4).hex()}")
    try:
        os.makedirs(folder or ".", exist_ok=True)
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    except OSError as error:
        raise Failure(f"Cannot write {path} on the controller: {error.strerror}. Name another place.") from error
    try:
        with os.fdopen(handle, "w+b") as stream:
            yield stream
        os.replace(temporary, path)
    except OSError as error:
        raise Failure(f"Cannot write {path} on the controller: {error.strerror}.") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
