# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files before and after a task, in the words that Ansible's callbacks know for a diff."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ansible import constants

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import FileFacts, Guest, GuestError
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline

if TYPE_CHECKING:
    from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_copy import Item
    from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_owners import Wanted


def guest_text(guest: Guest, path: str, now: FileFacts | None, deadline: Deadline) -> dict[str, Any]:
    """The side of a diff that shows a file of the guest."""
    if now is None:
        return {"before": "", "before_header": path}
    if now.size > constants.MAX_FILE_SIZE_FOR_DIFF:
        return {"dst_larger": constants.MAX_FILE_SIZE_FOR_DIFF}
    sink = io.BytesIO()
    try:
        guest.get(path, sink, timeout=deadline.remaining or 0.1, most=constants.MAX_FILE_SIZE_FOR_DIFF)
    except GuestError as error:
        if error.code != wire.TOO_LARGE:
            raise
        return {"dst_larger": constants.MAX_FILE_SIZE_FOR_DIFF}  # it has grown since
    return _side("before", path, sink.getvalue(), "dst")


def file_diff(item: Item, wanted: Wanted) -> list[dict[str, Any]]:
    """The diffs of one file that is going to be written: of its content, and of its mode and owners."""
    diffs = [] if item.is_same else [{**item.before, **_source_text(item)}]
    before, after = _permissions(item, wanted)
    return [*diffs, {"before": before, "after": after}] if after else diffs


def _source_text(item: Item) -> dict[str, Any]:
    if item.source.size > constants.MAX_FILE_SIZE_FOR_DIFF:
        return {"src_larger": constants.MAX_FILE_SIZE_FOR_DIFF}
    with item.source.open() as stream:
        return _side("after", item.source.path or item.dest, stream.read(), "src")


def _side(side: str, header: str, content: bytes, binary: str) -> dict[str, Any]:
    if b"\0" in content:
        return {f"{binary}_binary": 1}
    return {side: content.decode("utf-8", errors="replace"), f"{side}_header": header}


def _permissions(item: Item, wanted: Wanted) -> tuple[str, str]:
    """Mode and owners, as far as they are going to change, one a line."""
    now = item.now
    rows = [
        ("mode", None if now is None else f"{now.mode:04o}", None if item.mode is None else f"{item.mode:04o}"),
        ("owner", None if now is None else str(now.uid), None if wanted.uid is None else str(wanted.uid)),
        ("group", None if now is None else str(now.gid), None if wanted.gid is None else str(wanted.gid)),
    ]
    changed = [(name, old, new) for name, old, new in rows if new is not None and new != old]
    before = "".join(f"{name}: {old}\n" for name, old, _new in changed if old is not None)
    return before, "".join(f"{name}: {new}\n" for name, _old, new in changed)
