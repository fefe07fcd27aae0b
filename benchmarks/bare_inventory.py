# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An inventory plugin that opens a connection, but knows already what is there: what no plugin can do without."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import libvirt
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.template import trust_as_template

DOCUMENTATION = """
name: bare_inventory
short_description: Hosts out of a file
description: To be measured.
options:
  plugin: {description: This one., type: str}
  uri: {description: The connection to open., type: str}
  listing: {description: What ``ansible-inventory --list`` is to give., type: str}
"""


class InventoryModule(BaseInventoryPlugin):
    """Named by C(plugin) in a YAML file, as any other."""

    NAME = "bare_inventory"

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        libvirt.open(self.get_option("uri")).close()
        listing = json.loads(pathlib.Path(self.get_option("listing")).read_text(encoding="utf-8"))
        for name, variables in listing.pop("_meta")["hostvars"].items():
            inventory.add_host(name)
            inventory.hosts[name].vars.update({key: _plain(value) for key, value in variables.items()})
        for name in listing.pop("all")["children"]:
            group = inventory.groups[inventory.add_group(name)]
            for host in listing.get(name, {}).get("hosts", ()):
                group.add_host(inventory.hosts[host])


def _plain(value: Any) -> Any:
    """A text that came wrapped is not trusted, and the others are."""
    return value["__ansible_unsafe"] if isinstance(value, dict) else trust_as_template(value)
