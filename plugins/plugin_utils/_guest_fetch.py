# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fetching files of a guest to the controller: the task of the module guest_fetch.

A guest's names become paths of the controller here, so each is checked: none can lead out of the directory that it is
fetched into.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import FileFacts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils import _guest_local as local
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_action import Context, GuestTask
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_copy import absolute, time_left

_MOST_FILES = 10_000  # of one task, directories and what is left out included
_DEEPEST = 64  # directories in each other
# Bytes by which all files together may be larger than when they were looked at: logs grow, but not without end.
_GROWTH = 64 * 1024 * 1024


@dataclass(frozen=True)
class Item:
    """One file to fetch.

    :ivar path: in the guest.
    :ivar place: on the controller.
    :ivar is_same: whether it is there already.
    """

    path: str
    place: str
    size: int
    is_same: bool


@dataclass(frozen=True)
class Current:
    """What there is to fetch.

    :ivar facts: of ``src``; None when there is nothing.
    :ivar left_out: paths below ``src`` that are neither files nor directories.
    """

    facts: FileFacts | None
    place: str
    items: list[Item]
    left_out: list[str]


class Fetch(GuestTask):
    """Have files of the guest on the controller. One is up to date when its checksum is."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._deadline = Deadline(self.params["timeout"])
        self._growth = _GROWTH

    def read(self) -> Current:
        """What the guest has, and which of it is here already."""
        path = absolute(self.params["src"])
        place = self._place(path)
        facts = self.guest.stat(path, timeout=time_left(self._deadline, path))
        if facts is None:
            if self.params["fail_on_missing"]:
                raise Failure(
                    f"There is no {path} in {self.guest.where}. Check the path, or set fail_on_missing to false."
                )
            return Current(None, place, [], [])
        if facts.type == "file":
            return Current(facts, place, [self._item(path, place, facts)], [])
        if facts.type != "directory":
            target = (
                f" to {facts.target}. Name that as src"
                if facts.type == "link"
                else ". Only files and directories can be fetched"
            )
            raise Failure(f"{path} in {self.guest.where} is a {facts.type}{target}.")
        items: list[Item] = []
        left_out: list[str] = []
        for count, (relative, found) in enumerate(self._below(path, "", 0)):
            if count == _MOST_FILES:
                raise Failure(
                    f"{path} in {self.guest.where} holds more than {_MOST_FILES} files and directories. Fetch an "
                    "archive of it."
                )
            if found.type == "directory":
                continue
            if found.type != "file":
                left_out.append(f"{path}/{relative}")
                continue
            items.append(self._item(posixpath.join(path, relative), os.path.join(place, relative), found))
        return Current(facts, place, items, left_out)

    def plan(self, current: Current) -> Plan:
        """Fetch each file that is not here, or differs."""
        stale = [item for item in current.items if not item.is_same]
        plan = Plan(
            result={
                "dest": current.place,
                "size": sum(item.size for item in current.items),
                "files": [item.place for item in stale],
                "left_out": current.left_out,
            }
        )
        if current.facts is None:
            plan.result["msg"] = f"There is no {self.params['src']} in the guest, so nothing was fetched."
        elif current.facts.type == "file":
            plan.result["checksum"] = None if stale else local.checksum_of(current.place)
        for item in stale:
            plan.add(f"fetch {item.path}", self._fetching(item))
        return plan

    def finish(self, plan: Plan) -> dict[str, Any]:
        """With the checksum of a single file, which only its content tells."""
        if plan.changed and "checksum" in plan.result:
            plan.result["checksum"] = local.checksum_of(plan.result["dest"])
        return plan.result

    def diff(self, plan: Plan) -> Any:
        """The files of the controller that are written."""
        return {"before": "", "after": "".join(f"{place}\n" for place in plan.result["files"])}

    def _place(self, path: str) -> str:
        """Where ``src`` goes on the controller."""
        asked, name = self.params["dest"], posixpath.basename(path)
        dest = self.context.near(asked)
        if self.params["flat"]:
            return os.path.join(dest, name) if asked.endswith("/") else dest
        host = self.context.host or self.context.domain
        if host in (".", "..") or "/" in host:
            raise Failure(f"'{host}' cannot be the name of a directory. Set flat to true, and a dest for each guest.")
        return os.path.join(dest, host, path.lstrip("/"))

    def _item(self, path: str, place: str, facts: FileFacts) -> Item:
        here = local.checksum_of(place)
        is_same = False
        if here is not None and os.stat(place).st_size == facts.size:
            known = self.guest.stat(path, True, time_left(self._deadline, path))
            is_same = known is not None and known.sha256 == here
        return Item(path, place, facts.size, is_same)

    def _below(self, path: str, below: str, depth: int) -> Iterator[tuple[str, FileFacts]]:
        """What is in a directory and those in it, with names that are safe to join."""
        if depth > _DEEPEST:
            raise Failure(f"{path} in {self.guest.where} is too deep to be fetched. Fetch an archive of it.")
        for name, facts in self.guest.list(path, time_left(self._deadline, path)):
            if name in ("", ".", "..") or "/" in name or "\0" in name:
                raise Failure(f"{self.guest.where.capitalize()} listed {path} with a name that no file can have.")
            yield f"{below}{name}", facts
            if facts.type == "directory":
                yield from self._below(posixpath.join(path, name), f"{below}{name}/", depth + 1)

    def _fetching(self, item: Item) -> Callable[[Any], None]:
        def fetch(_hypervisor: Any) -> None:
            remaining = time_left(self._deadline, item.path)
            with local.written(item.place) as sink:
                got = self.guest.get(item.path, sink, timeout=remaining, most=item.size + self._growth)
            self._growth -= max(0, got.size - item.size)

        return fetch
