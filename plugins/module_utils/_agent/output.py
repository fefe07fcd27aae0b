# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeping what a command in a guest writes. Pure."""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import MAX_OUTPUT, OnOutput


class Output:
    """One stream of a command's output: handed on as it comes, or kept up to a size.

    :ivar truncated: whether there was more than is kept.
    """

    def __init__(self, stream: str, on_output: OnOutput | None, most: int = MAX_OUTPUT) -> None:
        self.truncated = False
        self._stream = stream
        self._on_output = on_output
        self._most = most
        self._kept = bytearray()

    def take(self, piece: bytes) -> None:
        """Take the next piece."""
        if self._on_output is not None:
            self._on_output(self._stream, piece)
            return
        room = self._most - len(self._kept)
        self.truncated = self.truncated or len(piece) > room
        self._kept += piece[:room]

    @property
    def content(self) -> bytes:
        """What is kept."""
        return bytes(self._kept)
