# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serial ports."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.characters import (
    CHARACTER_ARGUMENTS,
    CharacterSection,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at, child


class Serials(CharacterSection):
    """Serial ports, by position. libvirt makes the first one the guest's console."""

    option = "serials"
    noun = "serial port"
    tag = "serial"
    arguments = {"serials": {"type": "list", "elements": "dict", "options": CHARACTER_ARGUMENTS}}

    def defaults(self, facts: Facts, options: dict[str, Any]) -> dict[str, Any]:
        """A new domain can be reached with ``virsh console``."""
        return {"serials": [{"type": "pty"}]}

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """See `Section.patch`. The console on a serial port goes with the last one: libvirt makes one for it else."""
        super().patch(domain, options, facts)
        purged = self.option in options.get("purge", ()) and self.option in options
        if purged and not self.devices(domain):
            for console in domain.findall("devices/console"):
                if attribute_at(console, "target", "type") in (None, "serial"):
                    child(domain, "devices").remove(console)


SECTION = Serials()
