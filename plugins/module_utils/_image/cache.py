# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images of this machine: one file and one small description for each source, one download at a time.

A download is right when its description says so: the description is written last, and names the size and the
time of the file, so that a file which somebody touched since is not trusted.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.checksum import Checksum, parse
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.source import Source

# What stands beside an image, and in its place while it is being downloaded; the description goes first.
_SUFFIXES = (".json", "", ".part", ".part.json", ".json.part")


@dataclass(frozen=True)
class Cached:
    """An image that is in the cache, or a file that needs none.

    :ivar path: the file.
    :ivar identity: the checksum by which it was recognised: the publisher's, the user's, or its SHA-256. None for
        a file of this machine whose checksum nobody needs.
    :ivar sha256: of the content, in hexadecimal digits; empty where nobody needs it.
    :ivar etag: what the server called this content.
    :ivar is_vouched: whether the publisher or the user said the identity, rather than the content itself.
    :ivar is_signed: whether the identity comes from a list with a verified signature.
    """

    path: str
    identity: Checksum | None
    sha256: str
    etag: str | None = None
    is_vouched: bool = False
    is_signed: bool = False


class Cache:
    """A folder of downloaded images.

    :param folder: made when first needed.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def path_of(self, source: Source) -> str:
        """Where the image of a source is or will be."""
        key = hashlib.sha256(source.location.encode()).hexdigest()[:12]
        return os.path.join(self.folder, f"{source.label}-{key}{source.suffix}")

    def known(self, source: Source) -> Cached | None:
        """The image of a source, if it is here complete."""
        path = self.path_of(source)
        try:
            with open(f"{path}.json", encoding="utf-8") as file:
                memo = json.load(file)
            status = os.stat(path)
            if (memo["url"], memo["size"], memo["time"]) != (source.where, status.st_size, status.st_mtime_ns):
                return None
            known = {name: memo[name] for name in ("sha256", "etag", "is_vouched", "is_signed")}
            return Cached(path, parse(memo["identity"]), **known)
        except (OSError, ValueError, KeyError, TypeError, Failure):  # not there, or not ours
            return None

    def remember(self, source: Source, image: Cached) -> None:
        """Say that the file of an image is complete.

        :raises Failure: when that cannot be written; the image is then downloaded again the next time.
        """
        memo = {**asdict(image), "identity": str(image.identity), "url": source.where}
        del memo["path"]
        part = f"{image.path}.json.part"
        try:
            status = os.stat(image.path)
            with open(part, "w", encoding="utf-8") as file:
                json.dump({**memo, "size": status.st_size, "time": status.st_mtime_ns}, file, indent=1)
            os.replace(part, f"{image.path}.json")
        except OSError as error:
            raise Failure(
                f"Cannot write into the cache {self.folder}: {error.strerror}. "
                "Free some space there or choose another cache_dir."
            ) from error

    def holds(self, source: Source) -> bool:
        """Whether there is anything of the image of a source, complete or not."""
        path = self.path_of(source)
        return any(os.path.lexists(path + suffix) for suffix in _SUFFIXES)

    def forget(self, source: Source) -> None:
        """Delete the image of a source, complete or not.

        :raises Failure: when this user may not.
        """
        path = self.path_of(source)
        for suffix in _SUFFIXES:
            try:
                os.unlink(path + suffix)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise Failure(f"Cannot delete {path}{suffix}: {error.strerror}. It may be another user's.") from error

    def lock(self, name: str) -> contextlib.AbstractContextManager[None]:
        """As `locked`, for what is in this cache."""
        return locked(self.folder, name)


@contextlib.contextmanager
def locked(folder: str, name: str) -> Iterator[None]:
    """Be the only process of this machine that works on something, for a ``with`` block.

    Waits for another one as long as it lives; the kernel frees the lock of one that dies.

    :param folder: where the lock is; made when first needed.
    :param name: of what is worked on.
    """
    key = hashlib.sha256(name.encode()).hexdigest()[:16]
    with contextlib.ExitStack() as opened:
        try:
            os.makedirs(folder, exist_ok=True)
            descriptor = _open_lock(os.path.join(folder, f".{key}.lock"))
            opened.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise Failure(f"Cannot use the cache {folder}: {error.strerror}. Choose another cache_dir.") from error
        yield


def _open_lock(path: str) -> int:
    try:
        # For writing, because NFS gives an exclusive lock only to who may write.
        return os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    except PermissionError:
        # In a folder that users share the file may be another one's; to read it is enough on a local disk.
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, os.O_RDONLY)
        raise
