# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a list of domains shows of each: plain data from its XML, bounded in size. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.guest_agent import NO_AGENT, connected_agents
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.labels import read_labels
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.plugged import kind_of
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import INTEGER, Field, SizeField
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element

# The longest description, title or label that is passed on, in characters: anyone who may define a domain
# may fill them, with up to 4 MiB.
TEXT_LIMIT = 4096
LABELS_LIMIT = 256

# (option, where it is, what it is when the XML does not say)
_TEXTS = (Field("title", "title"), Field("description", "description"))
_FIELDS = (
    Field("type", "@type"),
    Field("arch", "os/type@arch"),
    Field("machine", "os/type@machine"),
    SizeField("memory", "currentMemory"),
    SizeField("max_memory", "memory"),
    Field("max_vcpus", "vcpu", INTEGER),
    Field("vcpus", "vcpu@current", INTEGER),
)
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
    summary: dict[str, Any] = {field.option: bounded(field.read(domain) or "") for field in _TEXTS}
    summary.update((field.option, field.read(domain)) for field in _FIELDS)
    max_memory = int(summary["max_memory"] or 0)
    max_vcpus = summary["max_vcpus"] or 0
    agents = connected_agents(domain)
    return {
        **summary,
        "arch": summary["arch"] or "",
        "machine": summary["machine"] or "",
        "max_memory": max_memory,
        "memory": int(summary["memory"] or max_memory),
        "max_vcpus": max_vcpus,
        "vcpus": summary["vcpus"] or max_vcpus,
        "labels": _labels(domain),
        "interfaces": [_interface(interface) for interface in domain.iterfind("devices/interface")],
        "agent": agents[0] if agents else NO_AGENT,
        "agent_connected": bool(agents),
    }


def bounded(text: str, limit: int = TEXT_LIMIT) -> str:
    """A text that somebody else wrote, cut off at ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


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
