# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A storage volume's XML: of a new one, and what of an existing one a person sees. Pure.

The format: https://libvirt.org/formatstorage.html#storage-volume-xml
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import SizeField
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    attribute_at,
    child,
    dump,
    parse,
    text_at,
)

PREALLOCATIONS = ("off", "metadata", "full")


@dataclass(frozen=True)
class Backing:
    """What an overlay is laid over.

    :ivar path: on the hypervisor.
    :ivar format: never guessed: a guest could write a header into a raw image that makes it look like another format.
    """

    path: str
    format: str


@dataclass(frozen=True)
class VolumeSpec:
    """A volume to be created.

    :ivar capacity: in bytes; None takes that of what it is cloned from or laid over.
    :ivar format: None for a device, which has no format of its own: what is written onto it is raw.
    :ivar preallocation: a word of `PREALLOCATIONS`: what of it takes up space from the beginning.
    """

    name: str
    capacity: int | None = None
    format: str | None = "qcow2"
    preallocation: str = "off"
    backing: Backing | None = None


def volume_xml(spec: VolumeSpec) -> str:
    """The XML that creates the volume."""
    volume = Element("volume")
    child(volume, "name").text = spec.name
    if spec.capacity is not None:
        _set_bytes(volume, "capacity", spec.capacity)
    # Without it, libvirt allocates a raw volume in full.
    _set_bytes(volume, "allocation", spec.capacity or 0 if spec.preallocation == "full" else 0)
    if spec.format is not None:
        child(volume, "target/format").set("type", spec.format)
    if spec.backing is not None:
        child(volume, "backingStore/path").text = spec.backing.path
        child(volume, "backingStore/format").set("type", spec.backing.format)
    return dump(volume)


def describe_volume(xml: str, pool: str) -> dict[str, Any]:
    """A volume as plain data, from the XML that libvirt returns.

    :param pool: the name of its pool.
    """
    volume = parse(xml)
    backing = {
        "path": text_at(volume, "backingStore/path"),
        "format": attribute_at(volume, "backingStore/format", "type"),
    }
    return {
        "name": text_at(volume, "name"),
        "pool": pool,
        "type": volume.get("type"),
        "path": text_at(volume, "target/path"),
        "key": text_at(volume, "key"),
        "format": attribute_at(volume, "target/format", "type"),
        **{figure: _bytes(volume, figure) for figure in ("capacity", "allocation", "physical")},
        "backing": backing if backing["path"] else None,
    }


def _set_bytes(volume: Element, figure: str, size: int) -> None:
    found = child(volume, figure)
    found.set("unit", "bytes")
    found.text = str(int(size))


def _bytes(volume: Element, figure: str) -> int | None:
    size = SizeField(figure, figure).read(volume)
    return None if size is None else int(size)


# What `describe_volume` returns of a volume about which nothing is known yet.
UNKNOWN: dict[str, Any] = dict.fromkeys(describe_volume("<volume/>", ""))
