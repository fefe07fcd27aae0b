# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Comparing the content of a volume with that of a file, and saving it into one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.checksum import Checksum, file_digests, parse
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.blocks import Hole
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.transfer import add, download, verify


def same_content(hypervisor: Hypervisor, volume: Any, pool: str, path: str) -> bool:
    """Whether a volume holds, byte for byte, what a file holds. Reads both; writes nothing."""
    return volume_digest(hypervisor, volume, pool) == file_digests(path, ["sha256"])["sha256"]


def volume_digest(hypervisor: Hypervisor, volume: Any, pool: str) -> str:
    """The SHA-256 of the content of a volume, as its file is, not as a guest sees it."""
    digest = hashlib.sha256()
    if hypervisor.read_only:
        hypervisor.privileged.download_volume(pool, volume.name(), digest.update)
    else:
        download(hypervisor, volume, digest.update, lambda length: add(digest, Hole(length)))
    return digest.hexdigest()


def save(hypervisor: Hypervisor, volume: Any, path: str, mode: str, checksum: Checksum | None) -> None:
    """Write the content of a volume into a file, which is complete or not there at all.

    :param mode: octal digits.
    :raises Failure: when the daemon or the disk gives up, or for another checksum; a file that was there stays.
    """
    digest = None if checksum is None else checksum.start()
    folder, name = os.path.split(os.path.abspath(path))
    try:
        descriptor, new = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        with _removed_on_error(new), os.fdopen(descriptor, "wb") as file:
            _receive(hypervisor, volume, file, digest)
            if checksum is not None and digest is not None:
                verify(checksum, digest.hexdigest(), f"The content of the volume '{volume.name()}'")
            file.flush()
            os.fsync(file.fileno())
            os.chmod(new, int(mode, 8))
            os.replace(new, path)
    except OSError as error:
        raise Failure(f"Cannot write {path}: {error.strerror}.") from error


def verify_file(checksum: str | None, path: str) -> None:
    """Raise `Failure` when a file has another checksum than the option of that name says, if it says one."""
    if checksum is not None:
        wanted = parse(checksum)
        verify(wanted, file_digests(path, [wanted.algorithm])[wanted.algorithm], path)


def file_mode(path: str) -> str | None:
    """The permissions of a file as four octal digits; None where there is no file."""
    try:
        return f"{stat.S_IMODE(os.stat(path).st_mode):04o}"
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Failure(f"Cannot read {path}: {error.strerror}.") from error


def set_file_mode(path: str, mode: str) -> None:
    """Give a file other permissions."""
    try:
        os.chmod(path, int(mode, 8))
    except OSError as error:
        raise Failure(f"Cannot change the permissions of {path}: {error.strerror}.") from error


def _receive(hypervisor: Hypervisor, volume: Any, file: Any, digest: Any) -> None:
    def write(block: bytes) -> None:
        file.write(block)
        if digest is not None:
            digest.update(block)

    def skip(length: int) -> None:
        file.seek(length, os.SEEK_CUR)
        file.truncate()  # else a hole at the end would be lost
        if digest is not None:
            add(digest, Hole(length))

    download(hypervisor, volume, write, skip)


@contextlib.contextmanager
def _removed_on_error(path: str) -> Any:
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(path)
        raise
