# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The numbers of a guest's users and groups, which is what it tells of a file."""

from __future__ import annotations

import io
from dataclasses import dataclass

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import Guest, GuestError
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure, did_you_mean

_LARGEST = 16 * 1024 * 1024  # bytes of such a file: room for some 200,000 users
_FILES = {"owner": "/etc/passwd", "group": "/etc/group"}


@dataclass(frozen=True)
class Wanted:
    """The owners that files are to have, as numbers; None where the task does not say."""

    uid: int | None
    gid: int | None


def owners_of(guest: Guest, owner: str | None, group: str | None, deadline: Deadline) -> Wanted:
    """The numbers behind two names, or numbers as text.

    :raises Failure: for a name that the guest does not know.
    """
    return Wanted(_number(guest, "owner", owner, deadline), _number(guest, "group", group, deadline))


def _number(guest: Guest, option: str, name: str | None, deadline: Deadline) -> int | None:
    if name is None or name.isdecimal():
        return None if name is None else int(name)
    place = _FILES[option]
    known = accounts(_content(guest, place, option, deadline))
    if name not in known:
        raise Failure(
            f"There is no {'user' if option == 'owner' else 'group'} '{name}' in {place} of {guest.where}. One that is "
            f"known elsewhere only has to be given as a number." + did_you_mean(name, known)
        )
    return known[name]


def _content(guest: Guest, place: str, option: str, deadline: Deadline) -> bytes:
    sink = io.BytesIO()
    try:
        guest.get(place, sink, timeout=deadline.remaining or 0.1, most=_LARGEST)
    except GuestError as error:
        raise Failure(f"{error.message} Give {option} as a number, which needs no {place}.") from error
    return sink.getvalue()


def accounts(content: bytes) -> dict[str, int]:
    """The names in a file such as /etc/passwd or /etc/group, and their numbers; lines that make no sense fall away."""
    found: dict[str, int] = {}
    for line in content.decode("utf-8", errors="replace").splitlines():
        fields = line.split(":")
        if len(fields) >= 3 and fields[2].isdecimal() and len(fields[2]) <= 10:
            found.setdefault(fields[0], int(fields[2]))
    return found
