# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A volume and a stream that keep what is sent to them, and fail where a test says."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import libvirt

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure


class FakeStream:
    """A ``libvirt.virStream``.

    :ivar received: what was sent, holes as zeros.
    :ivar ended: ``finish`` or ``abort``, or None while it is open.
    :ivar fail_after: how many bytes the disk takes.
    :ivar lost: how many of the last bytes the disk did not take, without that anybody said so.
    """

    def __init__(self, fail_after: int | None = None, content: bytes = b"") -> None:
        self.received = b""
        self.holes = 0
        self.ended: str | None = None
        self.fail_after = fail_after
        self.lost = 0
        self._content = content

    def send(self, block: bytes) -> int:
        if self.fail_after is not None and len(self.received) + len(block) > self.fail_after:
            raise libvirt.libvirtError("No space left on device")
        taken = block[:1000]  # libvirt may take less than it is given
        self.received += taken
        return len(taken)

    def sendHole(self, length: int, _flags: int) -> None:
        self.received += bytes(length)
        self.holes += 1

    def sparseRecvAll(self, handler: Callable[..., Any], on_hole: Callable[..., Any], opaque: Any) -> None:
        handler(self, self._content, opaque)
        on_hole(self, 4096, opaque)
        if self.fail_after is not None:
            raise libvirt.libvirtError("Connection reset by peer")

    def finish(self) -> None:
        self.ended = "finish"

    def abort(self) -> None:
        if self.ended is not None:
            raise libvirt.libvirtError("the stream has ended")
        self.ended = "abort"


class FakeHost(Hypervisor):
    """A hypervisor with the pool ``images``, in which volumes come and go.

    :ivar volumes: those that there are, by name.
    :ivar available: how many bytes are left.
    :ivar alive: whether the connection is.
    :ivar copying: called while a volume is copied.
    :ivar written: when each volume was written last.
    """

    uri = "qemu:///fake"
    read_only = False
    options = ConnectionOptions("qemu:///fake")

    def __init__(self, stream: FakeStream, alive: bool = True) -> None:
        self.volumes: dict[str, Any] = {}
        self.available = 1 << 30
        self.alive = alive
        self.stream = stream
        self.copying: Callable[[], Any] = lambda: None
        self.written = 0.0
        self.pool = SimpleNamespace(
            name=lambda: "images",
            isActive=lambda: 1,
            info=lambda: [2, 1 << 30, 0, self.available],
            refresh=lambda _flags: 0,
            XMLDesc=lambda _flags: "<pool type='dir'/>",
            createXML=self._create,
            createXMLFrom=lambda xml, _origin, flags: self._copy(xml, flags),
            listVolumes=lambda: list(self.volumes),
            storageVolLookupByName=self.volumes.get,
        )
        self.connection = SimpleNamespace(
            newStream=lambda _flags: stream,
            isAlive=lambda: int(self.alive),
            getHostname=lambda: "hv1",
            storagePoolLookupByName=lambda _name: self.pool,
        )

    def volume(self, name: str) -> Any:
        """A ``libvirt.virStorageVol``."""
        return SimpleNamespace(
            name=lambda: name,
            info=lambda: [libvirt.VIR_STORAGE_VOL_FILE, 0, 0],
            infoFlags=lambda _flags: [libvirt.VIR_STORAGE_VOL_FILE, 0, len(self.stream.received) - self.stream.lost],
            upload=lambda *_arguments: 0,
            download=lambda *_arguments: 0,
            delete=lambda _flags: self.volumes.pop(name),
            XMLDesc=lambda _flags: (
                f"<volume><target><timestamps><mtime>{self.written}</mtime></timestamps></target></volume>"
            ),
        )

    def _copy(self, xml: str, flags: int) -> Any:
        self.copying()
        return self._create(xml, flags)

    def _create(self, xml: str, _flags: int) -> Any:
        name = xml.partition("<name>")[2].partition("</name>")[0]
        if name in self.volumes:
            raise Failure(f"storage volume '{name}' exists already")
        self.volumes[name] = self.volume(name)
        return self.volumes[name]

    def call(self, doing: str, function: Callable[..., Any], *args: Any, limited: bool = True) -> Any:
        return function(*args)

    def find(self, doing: str, function: Callable[..., Any], *args: Any) -> Any:
        return function(*args)
