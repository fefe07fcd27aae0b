# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image behind a disk or a CD-ROM: a volume of a pool, a file, a block device, or none. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    attribute_at,
    child,
    clone,
    remove_all,
)

# The options of a device that name its image.
IMAGE_OPTIONS = ("volume", "path")
IMAGE_ARGUMENTS: dict[str, Any] = {
    "volume": {
        "type": "dict",
        "options": {"pool": {"type": "str", "required": True}, "volume": {"type": "str", "required": True}},
    },
    "path": {"type": "str"},
}
# What goes with an image when another takes its place.
_OF_THE_IMAGE = ("backingStore", "mirror")


def image_view(device: Element) -> dict[str, Any]:
    """The options ``volume`` or ``path`` of a device; neither for an empty drive."""
    source = device.find("source")
    if source is None:
        return {}
    if "pool" in source.attrib:
        return {"volume": {"pool": source.get("pool"), "volume": source.get("volume")}}
    path = source.get("file") or source.get("dev")
    return {"path": path} if path else {}


def patch_image(device: Element, item: dict[str, Any], facts: Facts) -> bool:
    """Give a device the image that the item names, if it names one; whether that made a difference.

    A running snapshot puts a new file on top of the image: the device then still has its image, further down.
    """
    wanted = _wanted(item)
    if not wanted or wanted == image_view(device) or has_image(device, item, facts):
        return False
    if wanted.get("path") == "" and not image_view(device):
        return False
    erase_image(device)
    if "volume" in wanted:
        device.set("type", "volume")
        child(device, "source").attrib.update(wanted["volume"])
    elif wanted["path"]:
        block = wanted["path"].startswith("/dev/")
        device.set("type", "block" if block else "file")
        child(device, "source").set("dev" if block else "file", wanted["path"])
    else:
        device.set("type", "file")
    return True


def carry_image(device: Element, target: Element) -> None:
    """Give a running device the image of the target, in place."""
    erase_image(device)
    device.set("type", target.get("type", "file"))
    source = target.find("source")
    if source is not None:
        device.append(clone(source))


def erase_image(device: Element) -> None:
    """Take the image out of a device."""
    for tag in ("source", *_OF_THE_IMAGE):
        remove_all(device, tag)


def image_formats(domain: Element) -> dict[Any, str]:
    """How the images of a domain are written, as far as its disks say, by `place_of`."""
    views = [(image_view(device), attribute_at(device, "driver", "type")) for device in domain.iterfind("devices/disk")]
    return {place_of(view): written for view, written in views if view and written}


def image_format(item: dict[str, Any], facts: Facts, noun: str) -> str:
    """How the image that an item names is written.

    :raises Failure: for a file that libvirt knows nothing of: guessed wrongly, its content would be destroyed.
    """
    place = place_of(item)
    if place in facts.images:
        return facts.images[place].format
    if place in facts.formats:
        return facts.formats[place]
    if str(item.get("path", "")).startswith("/dev/"):
        return "raw"
    raise Failure(
        f"{noun}: '{item.get('path')}' is in no active storage pool, so its format is not known: "
        "name it (format: qcow2 or format: raw)."
    )


def place_of(item: dict[str, Any]) -> Any:
    """The key of an image among `Facts.images`."""
    volume = item.get("volume")
    return (volume["pool"], volume["volume"]) if volume else item.get("path")


def has_image(device: Element, item: dict[str, Any], facts: Facts) -> bool:
    """Whether a device has the image that the item names, on top or below files that snapshots put there."""
    names = _names_of(item, facts)
    return any(not names.isdisjoint(_names_in(source)) for source in device.iter("source"))


def is_covered(device: Element, item: dict[str, Any], facts: Facts) -> bool:
    """Whether the image that the item names is below a file of a snapshot."""
    top = device.find("source")
    names = _names_of(item, facts)
    return top is not None and names.isdisjoint(_names_in(top)) and has_image(device, item, facts)


def _wanted(item: dict[str, Any]) -> dict[str, Any]:
    return {option: item[option] for option in IMAGE_OPTIONS if option in item}


def _names_of(item: dict[str, Any], facts: Facts) -> set[Any]:
    """What an XML may call the image that the item names."""
    place = place_of(item)
    return {place, facts.images[place].path} if place in facts.images else {place} - {None, ""}


def _names_in(source: Element) -> set[Any]:
    return {(source.get("pool"), source.get("volume")), source.get("file"), source.get("dev")} - {None, (None, None)}
