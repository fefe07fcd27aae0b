# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A storage pool as libvirt shows one, which writes down each call that changes it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, Hypervisor

DIRECTORY = """
<pool type='dir'>
  <name>images</name>
  <uuid>59e7d872-c14c-400d-9765-c707e77576b1</uuid>
  <capacity unit='bytes'>100</capacity>
  <source/>
  <target>
    <path>/srv/images</path>
    <permissions><mode>0711</mode><owner>0</owner><group>0</group></permissions>
  </target>
</pool>
"""


class FakePool:
    """The pool ``images``.

    :ivar changes: the names of the changing calls that were made, with their arguments.
    :ivar appearing: volumes that a refresh finds.
    """

    def __init__(self, stored: str = DIRECTORY, live: str | None = None, active: bool = True, **facts: Any) -> None:
        self._stored, self._live = stored, live or stored
        self._number = facts.get("number", 2 if active else 0)
        self._persistent = facts.get("persistent", 1)
        self._autostart = facts.get("autostart", 0)
        self._volumes = facts.get("volumes", [])
        self.appearing: list[str] = []
        self.changes: list[tuple[Any, ...]] = []

    def name(self) -> str:
        return "images"

    def UUIDString(self) -> str:
        return "59e7d872-c14c-400d-9765-c707e77576b1"

    def info(self) -> list[int]:
        return [self._number, 100, 40, 60]

    def XMLDesc(self, flags: int) -> str:
        return self._stored if flags else self._live

    def isPersistent(self) -> int:
        return int(self._persistent)

    def isActive(self) -> int:
        return int(self._number != 0)

    def autostart(self) -> int:
        return int(self._autostart)

    def listVolumes(self) -> list[str]:
        return list(self._volumes)

    def refresh(self, flags: int) -> None:
        self.changes.append(("refresh", flags))
        self._volumes = [*self._volumes, *self.appearing]

    def __getattr__(self, name: str) -> Any:
        if name not in ("create", "destroy", "undefine", "delete", "setAutostart"):
            raise AttributeError(name)
        return lambda *arguments: self.changes.append((name, *arguments))


class FakeHypervisor(Hypervisor):
    """A hypervisor that has one pool, or none."""

    uri = "qemu:///fake"
    read_only = False
    options = ConnectionOptions("qemu:///fake")

    def __init__(self, pool: FakePool | None) -> None:
        self.pool = pool
        self.connection = SimpleNamespace(
            storagePoolLookupByName=lambda name: pool if name == "images" else None,
            storagePoolLookupByUUIDString=lambda uuid: pool if pool and uuid == pool.UUIDString() else None,
            storagePoolDefineXML=self._define,
        )

    def _define(self, xml: str, flags: int) -> FakePool:
        self.pool = self.pool or FakePool(xml, active=False)
        self.pool.changes.append(("define", xml, flags))
        return self.pool

    def call(self, doing: str, function: Callable[..., Any], *args: Any, limited: bool = True) -> Any:
        return function(*args)

    def find(self, doing: str, function: Callable[..., Any], *args: Any) -> Any:
        return function(*args)
