# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An inventory in which a name that a host has is never that of a group."""

from __future__ import annotations

from typing import Any


class HostsFirst:
    """Ansible's inventory, but that it takes no group of the name of a host: both would be meant by the name.

    What sets a variable of the host would set that of the group, and the host could become a group's child as a group.

    :ivar refused: the groups that it did not take, with their hosts and children.
    """

    def __init__(self, inventory: Any, hosts: frozenset[str]) -> None:
        self._inventory = inventory
        self._hosts = hosts
        self.refused: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inventory, name)

    def add_group(self, group: str) -> str:
        """Add a group; its name."""
        if group not in self._hosts:
            return str(self._inventory.add_group(group))
        self.refused.add(group)
        return group

    def add_host(self, host: str, group: str) -> None:
        """Add a host to a group."""
        if group not in self.refused:
            self._inventory.add_host(host, group)

    def add_child(self, group: str, child: str) -> None:
        """Add a host or a group to a group."""
        if group not in self.refused and child not in self.refused:
            self._inventory.add_child(group, child)
