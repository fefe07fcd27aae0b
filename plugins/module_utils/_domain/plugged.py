# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a network interface is plugged into, as its configuration says it. Pure.

On a network that is a bridge of the host (or a host's card) a running domain shows an interface of type ``bridge``
(or ``direct``), with the network's name beside the bridge's; stored is ``type='network'`` with the name alone.
"""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at

# What belongs to a network's <source> in a configuration; all else there is of the running domain.
_CONFIGURED = ("network", "portgroup")


def kind_of(interface: Element) -> str:
    """The type that its configuration has: ``network``, ``bridge``, ``user`` …"""
    return "network" if attribute_at(interface, "source", "network") else interface.get("type", "")


def unresolve(interface: Element) -> None:
    """Give an interface of a running domain the source of its configuration, in place."""
    source = interface.find("source")
    if source is None or kind_of(interface) != "network":
        return
    interface.set("type", "network")
    for name in [name for name in source.attrib if name not in _CONFIGURED]:
        del source.attrib[name]
