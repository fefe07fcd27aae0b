# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a list of domains shows of each: plain data from its XML, bounded in size. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.guest_agent import NO_AGENT, connected_agents
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.labels import read_labels
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.plugged import kind_of
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._units import unit_factor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element

# The longest description, title or label that is passed on, in characters: anyone who may define a domain
# may fill them, with up to 4 MiB.
TEXT_LIMIT = 4096
LABELS_LIMIT = 256

# The attribute of an interface's <source> that says what it is plugged into, by the interface's type.
_SOURCES = {
    "network": "network",
    "bridge": "bridge",
    "direct": "dev",
    "hostdev": "dev",
    "vhostuser": "path",
    "vdpa": "dev",
}


def summarize(domain: Element) -> dict[str, Any]:
    """What every listing shows of a ``<domain>``; sizes are bytes.

    Keys: ``title description type arch machine memory max_memory vcpus max_vcpus labels interfaces
    agent agent_connected``. A value that the XML does not say is an empty text or 0.
    """
    # Finds of one step each, for this runs for every domain of a fleet at every start of Ansible.
    os, vcpu, devices = domain.find("os"), domain.find("vcpu"), domain.find("devices")
    machine = None if os is None else os.find("type")
    max_memory = _bytes(domain.find("memory"))
    max_vcpus = 0 if vcpu is None else int(vcpu.text or 0)
    agents = [] if devices is None or devices.find("channel") is None else connected_agents(domain)
    return {
        "title": _text(domain.find("title")),
        "description": _text(domain.find("description")),
        "type": domain.get("type"),
        "arch": "" if machine is None else machine.get("arch", ""),
        "machine": "" if machine is None else machine.get("machine", ""),
        "max_memory": max_memory,
        "memory": _bytes(domain.find("currentMemory")) or max_memory,
        "max_vcpus": max_vcpus,
        "vcpus": max_vcpus if vcpu is None else int(vcpu.get("current", max_vcpus)) or max_vcpus,
        "labels": {} if domain.find("metadata") is None else _labels(domain),
        "interfaces": [] if devices is None else [_interface(interface) for interface in devices.findall("interface")],
        "agent": agents[0] if agents else NO_AGENT,
        "agent_connected": bool(agents),
    }


def bounded(text: str, limit: int = TEXT_LIMIT) -> str:
    """A text that somebody else wrote, cut off at ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _text(element: Element | None) -> str:
    return "" if element is None else bounded((element.text or "").strip())


def _bytes(element: Element | None) -> int:
    """An amount of memory; libvirt's unit for it is KiB where it does not say another."""
    if element is None or not element.text:
        return 0
    return int(element.text) * (unit_factor(element.get("unit", "KiB")) or 1)


def _labels(domain: Element) -> dict[str, str]:
    labels = list(read_labels(domain).items())[:LABELS_LIMIT]
    return {bounded(name, 255): bounded(value) for name, value in labels}


def _interface(interface: Element) -> dict[str, str]:
    kind = kind_of(interface)
    mac, source, target = (interface.find(tag) for tag in ("mac", "source", "target"))
    return {
        "type": kind,
        "mac": "" if mac is None else mac.get("address", "").lower(),
        "source": "" if source is None else source.get(_SOURCES.get(kind, ""), ""),
        "target": "" if target is None else target.get("dev", ""),
    }
