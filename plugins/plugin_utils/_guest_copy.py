# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copying files of the controller into a guest: the task of the module guest_copy."""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import FileFacts, GuestError
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.permissions import clean_mode
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils import _guest_local as local
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_action import Context, GuestTask
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_diff import file_diff, guest_text
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_owners import Wanted, owners_of

_NEW_DIRECTORY = 0o755


@dataclass(frozen=True)
class Item:
    """One file to have in the guest.

    :ivar now: what is at ``dest``; None where nothing is.
    :ivar sha256: of the source.
    :ivar is_same: whether the content is there already.
    :ivar before: the text that is there, where a diff wants it.
    """

    source: local.Source
    dest: str
    mode: int | None
    now: FileFacts | None
    sha256: str
    is_same: bool
    before: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Current:
    """What the guest has of what is to be copied.

    :ivar dest: the path of the file, or of the directory that everything is copied into.
    :ivar missing: the directories to make, parents first, with their modes.
    """

    dest: str
    items: list[Item]
    missing: dict[str, int]
    wanted: Wanted


class CopyInto(GuestTask):
    """Have files in the guest. One is up to date when its checksum, mode and owners are."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._mode = _mode_of(self.params["mode"])
        directory_mode = self.params["directory_mode"]
        self._directory_mode = None if directory_mode is None else int(clean_mode(directory_mode, "directory_mode"), 8)
        self._deadline = Deadline(self.params["timeout"])
        self._known: dict[str, dict[str, FileFacts]] = {}
        self._places: set[str] = set()

    # --- what there is

    def read(self) -> Current:
        """What the guest has; the content of files only as far as a diff needs it."""
        dest = absolute(self.params["dest"])
        self.require("file_put", "guest-file-write")
        wanted = owners_of(self.guest, self.params["owner"], self.params["group"], self._deadline)
        if self.params["content"] is not None:
            return self._one(local.source_of_text(_as_text(self.params["content"])), dest, wanted, name=None)
        path = self.context.find(self.params["src"])
        if not os.path.isdir(path):
            source = local.source_of_file(path, "", self.context.real_file)
            return self._one(source, dest, wanted, os.path.basename(path))
        if not self.params["src"].endswith("/"):
            dest = posixpath.join(dest, os.path.basename(path))
        return self._tree(path, dest, wanted)

    def _one(self, source: local.Source, dest: str, wanted: Wanted, name: str | None) -> Current:
        """A single file. A ``dest`` that is a directory, or ends with a slash, holds it under its own name."""
        asked = self.params["dest"]
        now = self._stat(dest)
        is_directory = asked.endswith("/") or (now is not None and now.type == "directory")
        if is_directory and name is None:
            raise Failure(
                f"dest must be the path of a file, as content has no name of its own, and {asked} is a directory."
            )
        missing: dict[str, int] = {}
        if is_directory and name is not None:
            missing = {} if self._is_directory(dest, now) else {dest: self._mode_of_directory(_NEW_DIRECTORY)}
            self._require_parent(dest, now)
            dest = posixpath.join(dest, name)
            now = None if missing else self._stat(dest)
        if not missing:
            self._require_parent(dest, now)
        return Current(dest, [self._item(source, dest, now)], missing, wanted)

    def _tree(self, path: str, dest: str, wanted: Wanted) -> Current:
        directories, sources = local.tree(path, self.context.real_file)
        below = [*(one.relative for one in directories), *(one.relative for one in sources)]
        self._places = {posixpath.join(dest, relative) for relative in below}
        now = self._stat(dest)
        self._require_parent(dest, now)
        missing: dict[str, int] = {}
        if not self._is_directory(dest, now):
            missing[dest] = self._mode_of_directory(_NEW_DIRECTORY)
        for directory in directories:
            place = posixpath.join(dest, directory.relative)
            if not self._is_directory(place, self._look(place, missing)):
                missing[place] = self._mode_of_directory(directory.mode)
        places = [(source, posixpath.join(dest, source.relative)) for source in sources]
        items = [self._item(source, place, self._look(place, missing)) for source, place in places]
        return Current(dest, items, missing, wanted)

    def _look(self, place: str, missing: dict[str, int]) -> FileFacts | None:
        """What is at a place, from one listing of its directory."""
        folder, name = posixpath.split(place)
        if folder in missing:
            return None
        if folder not in self._known:
            # No more is kept than was asked about, however much a guest lists.
            listed = self.guest.list(folder, self._time_left(folder))
            self._known[folder] = {
                name: facts for name, facts in listed if posixpath.join(folder, name) in self._places
            }
        return self._known[folder].get(name)

    def _stat(self, path: str, sha256: bool = False) -> FileFacts | None:
        return self.guest.stat(path, sha256, self._time_left(path))

    def _time_left(self, path: str) -> float:
        return time_left(self._deadline, path)

    def _item(self, source: local.Source, dest: str, now: FileFacts | None) -> Item:
        if now is not None and now.type == "link":
            raise Failure(
                f"{dest} in {self.guest.where} is a link to {now.target}. Name that as dest, or remove the link."
            )
        if now is not None and now.type != "file":
            raise Failure(f"{dest} in {self.guest.where} is a {now.type}, not a file. Name another dest, or remove it.")
        sha256 = source.sha256()
        is_same = False
        if now is not None and now.size == source.size:
            known = self._stat(dest, sha256=True)
            is_same = known is not None and known.sha256 == sha256
        mode = source.mode if self._mode == "preserve" else self._mode
        wants_text = self.context.diff and not is_same
        before = guest_text(self.guest, dest, now, self._deadline) if wants_text else {}
        return Item(source, dest, mode if isinstance(mode, int) else None, now, sha256, is_same, before)

    def _is_directory(self, path: str, now: FileFacts | None) -> bool:
        if now is not None and now.type == "link":
            raise Failure(
                f"{path} in {self.guest.where} is a link to {now.target}. Name that as dest, or remove the link."
            )
        if now is not None and now.type != "directory":
            raise Failure(
                f"{path} in {self.guest.where} is a {now.type}, not a directory. Name another dest, or remove it."
            )
        return now is not None

    def _require_parent(self, path: str, now: FileFacts | None) -> None:
        """What is to be made must have a directory to be in; check mode must find out, too."""
        if now is not None or posixpath.dirname(path) == path:
            return
        folder = posixpath.dirname(path)
        try:
            found = self._stat(folder)
        except GuestError as error:
            if error.code == wire.DENIED:
                return  # the guest's policy begins below it
            raise
        if found is None:
            raise Failure(f"There is no directory {folder} in {self.guest.where} to put {path} into. Make it first.")

    def _mode_of_directory(self, mode: int) -> int:
        if self._directory_mode is not None:
            return self._directory_mode
        return mode if self._mode == "preserve" else _NEW_DIRECTORY

    # --- what to do

    def plan(self, current: Current) -> Plan:
        """Make the missing directories, then write each file whose content, mode or owners differ."""
        stale = [item for item in current.items if not _is_up_to_date(item, current.wanted)]
        plan = Plan(result=_result(current, stale))
        for path, mode in current.missing.items():
            plan.add(f"make the directory {path}", self._making(path, mode))
        for item in stale:
            plan.add(f"write {item.dest}", self._writing(item))
        self._diff = [{"before": "", "after": f"directory: {path}\n"} for path in current.missing]
        self._diff += [one for item in stale for one in file_diff(item, current.wanted)] if self.context.diff else []
        return plan

    def diff(self, plan: Plan) -> Any:
        """Of each file: its text, where it is text and not long, and its mode and owners."""
        return self._diff

    def _making(self, path: str, mode: int) -> Callable[[Any], None]:
        return lambda _hypervisor: self.guest.mkdir(path, mode, self._time_left(path))

    def _writing(self, item: Item) -> Callable[[Any], None]:
        def write(_hypervisor: Any) -> None:
            with item.source.open() as stream:
                self.guest.put(
                    stream,
                    item.dest,
                    mode=item.mode,
                    owner=self.params["owner"],
                    group=self.params["group"],
                    timeout=self._time_left(item.dest),
                )

        return write


def absolute(path: str) -> str:
    """A path of the guest as it is sent: without what says nothing.

    :raises Failure: when it is not absolute or goes up.
    """
    if not path.startswith("/") or ".." in path.split("/"):
        raise Failure(f"'{path}' is not an absolute path without '..'. Write the whole path in the guest.")
    return posixpath.normpath("/" + path.lstrip("/"))


def time_left(deadline: Deadline, path: str) -> float:
    """Seconds that a task still has.

    :raises Failure: when it has none.
    """
    remaining = deadline.remaining or 0.0
    if not remaining:
        raise Failure(f"There was no time left for {path} (timeout). Allow more, then run the task again.")
    return remaining


def _mode_of(value: Any) -> int | str | None:
    if value is None or value == "preserve":
        return value
    return int(clean_mode(value, "mode"), 8)


def _as_text(content: Any) -> str:
    """As ansible.builtin.copy writes a dict or a list: as JSON."""
    return content if isinstance(content, str) else json.dumps(content, indent=4)


def _is_up_to_date(item: Item, wanted: Wanted) -> bool:
    now = item.now
    if now is None or not item.is_same:
        return False
    return item.mode in (None, now.mode) and wanted.uid in (None, now.uid) and wanted.gid in (None, now.gid)


def _result(current: Current, stale: list[Item]) -> dict[str, Any]:
    single = len(current.items) == 1 and current.items[0].dest == current.dest
    return {
        "dest": current.dest,
        "checksum": current.items[0].sha256 if single else None,
        "size": sum(item.source.size for item in current.items),
        "files": [item.dest for item in stale],
        "directories": list(current.missing),
    }
