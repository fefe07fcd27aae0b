# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection to libvirt's test driver that explodes when something is changed through it.

It wraps a read-write connection, so that what stops a change is this fake and not the daemon: a module that
changes something in check mode is found even if it opened the wrong kind of connection.
"""

from __future__ import annotations

from typing import Any

import libvirt

# Every method of a connection or of what is found through it that only reads.
_READS = (
    "ID",
    "UUIDString",
    "autostart",
    "bridgeName",
    "capacity",
    "capabilities",
    "connect",
    "get",
    "hasManagedSaveImage",
    "info",
    "interfaceAddresses",
    "isActive",
    "isAlive",
    "isPersistent",
    "key",
    "list",
    "lookup",
    "metadata",
    "name",
    "networkLookup",
    "numOf",
    "path",
    "setKeepAlive",  # of the connection, not of anything that it reaches
    "snapshotNum",
    "state",
    "storagePoolLookup",
    "storageVolLookup",
)
_WRAPPED = (libvirt.virDomain, libvirt.virNetwork, libvirt.virStoragePool, libvirt.virStorageVol)


_CAPABILITIES = """
<domainCapabilities>
  <path>/usr/bin/qemu-system-x86_64</path><domain>qemu</domain><machine>pc-q35-7.2</machine><arch>x86_64</arch>
  <os supported='yes'><enum name='firmware'/><loader supported='yes'/></os>
  <cpu><mode name='maximum' supported='yes'/></cpu>
</domainCapabilities>
"""


class Explosion(AssertionError):
    """Something was changed."""


class Exploding:
    """A libvirt object whose changing methods raise `Explosion` instead of being called."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def close(self) -> None:
        """Stay open for the next task of the test."""

    def XMLDesc(self, _flags: int = 0) -> str:
        """The XML without flags: the test driver knows none."""
        return str(self._real.XMLDesc(0))

    def getDomainCapabilities(self, *_args: object) -> str:
        """What the test driver lacks, as QEMU's driver says it in short."""
        return _CAPABILITIES

    def __getattr__(self, name: str) -> Any:
        if not name.startswith(_READS):
            raise Explosion(f"{type(self._real).__name__}.{name} was called")
        method = getattr(self._real, name)
        return lambda *args: _wrap(method(*args))


def _wrap(value: Any) -> Any:
    if isinstance(value, _WRAPPED):
        return Exploding(value)
    if isinstance(value, list):
        return [_wrap(item) for item in value]
    return value
