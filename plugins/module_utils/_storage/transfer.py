# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bytes into and out of a volume, through the connection to the hypervisor, with the memory of one block."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure, explain
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.checksum import Checksum
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.blocks import (
    BLOCK,
    ZEROS,
    Hole,
    Piece,
    pieces,
)


def upload(
    hypervisor: Hypervisor,
    volume: Any,
    source: Any,
    length: int,
    checksum: Checksum | None = None,
    sparse: bool = True,
) -> None:
    """Write content into a volume that was just created, from its beginning. Takes as long as it takes.

    Not for a volume with content: holes would leave what was there before.

    :param volume: the ``libvirt.virStorageVol``. A file is best created with the capacity 0: then its size tells
        whether all of the content arrived.
    :param source: a binary file opened for reading, or an iterable of bytes.
    :param length: how many bytes there are.
    :param checksum: what the content is to have.
    :param sparse: whether to skip zeros; ignored for a volume that is no file.
    :raises Failure: when the daemon, the disk or the source gives up, when the source is shorter or longer than
        ``length``, or for another checksum. The volume then holds anything; see `create_with_content`.
    """
    doing = f"write the volume '{volume.name()}'"
    is_file = _is_file(hypervisor, volume, doing)
    sparse = sparse and is_file
    flags = libvirt.VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM if sparse else 0
    stream = hypervisor.call(doing, hypervisor.connection.newStream, 0)
    hypervisor.call(doing, volume.upload, stream, 0, length, flags)
    digest = None if checksum is None else checksum.start()
    sent = 0
    try:
        for piece in pieces(source, sparse):
            sent += _size(piece)
            if sent > length:
                break
            _send(stream, piece)
            if digest is not None:
                add(digest, piece)
        if sent != length:
            raise Failure(f"Cannot {doing}: its source changed: {length} bytes were announced, not {sent}.")
        if checksum is not None and digest is not None:
            verify(checksum, digest.hexdigest(), f"The content for the volume '{volume.name()}'")
        stream.finish()
    except libvirt.libvirtError as error:
        raise explain(doing, error) from error
    except OSError as error:
        raise Failure(f"Cannot {doing}: its source cannot be read: {error.strerror}.") from error
    finally:
        _abort(stream)
    if is_file:
        _require_arrived(hypervisor, volume, length, doing)


def download(hypervisor: Hypervisor, volume: Any, write: Callable[[bytes], Any], skip: Callable[[int], Any]) -> None:
    """Read the whole content of a volume. Takes as long as it takes.

    :param write: is handed each block.
    :param skip: is handed the length of each hole.
    :raises Failure: when the daemon gives up.
    """
    doing = f"read the volume '{volume.name()}'"
    sparse = _is_file(hypervisor, volume, doing)
    flags = libvirt.VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM if sparse else 0
    stream = hypervisor.call(doing, hypervisor.connection.newStream, 0)
    hypervisor.call(doing, volume.download, stream, 0, 0, flags)

    def on_data(_stream: Any, block: bytes, _opaque: Any) -> None:
        write(block)

    def on_hole(_stream: Any, length: int, _opaque: Any) -> None:
        skip(length)

    try:
        if sparse:
            stream.sparseRecvAll(on_data, on_hole, None)
        else:
            stream.recvAll(on_data, None)
        stream.finish()
    except libvirt.libvirtError as error:
        raise explain(doing, error) from error
    finally:
        _abort(stream)


def add(digest: Any, piece: Piece) -> None:
    """Take the next piece of some content into a hash object."""
    if not isinstance(piece, Hole):
        digest.update(piece)
        return
    for start in range(0, piece.length, BLOCK):
        digest.update(ZEROS[: piece.length - start])


def verify(checksum: Checksum, digest: str, what: str) -> None:
    """Raise `Failure` when a content has another digest than ``checksum`` says.

    :param digest: in hexadecimal digits.
    :param what: names the content, at the beginning of a sentence.
    """
    if digest != checksum.digest:
        raise Failure(
            f"{what} does not have the checksum that the task gives: it has {checksum.algorithm}:{digest}, "
            f"not {checksum}. It may be damaged, incomplete, or another version."
        )


def _require_arrived(hypervisor: Hypervisor, volume: Any, length: int, doing: str) -> None:
    """Notice the error that libvirt 9.0 forgets: when the disk is full at the last blocks, the upload seems to work."""
    size = hypervisor.call(doing, volume.infoFlags, libvirt.VIR_STORAGE_VOL_GET_PHYSICAL)[2]
    if size < length:
        raise Failure(
            f"Cannot {doing}: only {size} of {length} bytes arrived, most likely: No space left on device. "
            "Free some space on the storage pool's host."
        )


def _is_file(hypervisor: Hypervisor, volume: Any, doing: str) -> bool:
    return bool(hypervisor.call(doing, volume.info)[0] == libvirt.VIR_STORAGE_VOL_FILE)


def _size(piece: Piece) -> int:
    return piece.length if isinstance(piece, Hole) else len(piece)


def _send(stream: Any, piece: Piece) -> None:
    if isinstance(piece, Hole):
        stream.sendHole(piece.length, 0)
        return
    while piece:
        piece = piece[stream.send(piece) :]


def _abort(stream: Any) -> None:
    # A stream that has ended, well or not, cannot be aborted, and says so.
    with contextlib.suppress(libvirt.libvirtError):
        stream.abort()
