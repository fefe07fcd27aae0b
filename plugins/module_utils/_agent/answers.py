# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading what a guest answers: nothing is believed to have the type or the size that it should have. Pure."""

from __future__ import annotations

import math
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import FileFacts, GuestError

_TYPES = ("file", "directory", "link", "fifo", "socket", "device")
_MOST = 2**63
_LONGEST = 8192  # characters of a name or path
_HEXADECIMAL = frozenset("0123456789abcdef")


class Answer:
    """The members of one answer, each with a check.

    :param asked: what was asked, for the message of a bad answer: the method's name.
    :raises GuestError: from every method, when the member is not what it must be.
    """

    def __init__(self, where: str, asked: str, members: Any) -> None:
        self._where = where
        self._asked = asked
        self._members: dict[str, Any] = members if isinstance(members, dict) else {}
        if not isinstance(members, dict):
            raise self.wrong("an object")

    def wrong(self, expected: str) -> GuestError:
        """The error for an answer that lacks ``expected``."""
        return GuestError(
            wire.INVALID_REQUEST,
            f"{self._where.capitalize()} answered {self._asked} with something else than {expected}. "
            "Check which agent runs in it.",
        )

    def get(self, name: str) -> Any:
        """The member as it came, None when it is missing."""
        return self._members.get(name)

    def integer(self, name: str, most: int = _MOST) -> int:
        """A whole number from 0."""
        value = self.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise self.wrong(f"a whole number as {name}")
        return value

    def number(self, name: str) -> float:
        """A number."""
        value = self.get(name)
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
            raise self.wrong(f"a number as {name}")
        return float(value)

    def flag(self, name: str) -> bool:
        """True or false; false when it is missing."""
        return self.get(name) is True

    def text(self, name: str, longest: int = _LONGEST) -> str:
        """A string."""
        value = self.get(name)
        if not isinstance(value, str) or len(value) > longest:
            raise self.wrong(f"a string of at most {longest} characters as {name}")
        return value

    def entries(self, name: str, most: int) -> list[Any]:
        """A list."""
        value = self.get(name)
        if not isinstance(value, list) or len(value) > most:
            raise self.wrong(f"a list of at most {most} as {name}")
        return value

    def file_facts(self) -> FileFacts:
        """What ``file_stat`` gives."""
        kind = self.text("type", 20)
        if kind not in _TYPES:
            raise self.wrong("a kind of file as type")
        sha256 = None if self.get("sha256") is None else self.text("sha256", 64)
        if sha256 is not None and (len(sha256) != 64 or not _HEXADECIMAL.issuperset(sha256)):
            raise self.wrong("a checksum as sha256")
        return FileFacts(
            type=kind,
            size=self.integer("size"),
            mode=self.integer("mode", 0o7777),
            uid=self.integer("uid"),
            gid=self.integer("gid"),
            mtime=self.number("mtime"),
            target=None if self.get("target") is None else self.text("target"),
            sha256=sha256,
        )

    def file_name(self) -> str:
        """A name in a directory, as it may be joined to a path."""
        name = self.text("name")
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise self.wrong("a file's name as name")
        return name
