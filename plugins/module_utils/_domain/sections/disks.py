# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disks."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.drives import BUSES, DriveSection, target_of
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.images import (
    IMAGE_ARGUMENTS,
    IMAGE_OPTIONS,
    image_format,
    image_view,
    place_of,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import INTEGER, Field, Kind, PresenceField
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element

# libvirt stores nothing for its own choice.
_CHOICE = Kind(read=str, write=lambda value: value, clean=lambda value, _option: None if value == "default" else value)


class Disks(DriveSection):
    """Disks, by target. They can be added to a running domain and taken away; their options are for its next start."""

    option = "disks"
    noun = "disk"
    kind = "disk"
    default_bus = "virtio"
    hotplug = True
    arguments = {
        "disks": {
            "type": "list",
            "elements": "dict",
            "mutually_exclusive": [IMAGE_OPTIONS],
            "options": {
                **IMAGE_ARGUMENTS,
                "target": {"type": "str"},
                "bus": {"type": "str", "choices": BUSES},
                "format": {"type": "str"},
                "cache": {
                    "type": "str",
                    "choices": ["default", "none", "writethrough", "writeback", "directsync", "unsafe"],
                },
                "io": {"type": "str", "choices": ["native", "threads", "io_uring"]},
                "discard": {"type": "str", "choices": ["unmap", "ignore"]},
                "serial": {"type": "str"},
                "readonly": {"type": "bool"},
                "shareable": {"type": "bool"},
                "boot_order": {"type": "int"},
            },
        },
    }
    fields = (
        Field("bus", "target@bus"),
        Field("format", "driver@type"),
        Field("cache", "driver@cache", _CHOICE),
        Field("io", "driver@io"),
        Field("discard", "driver@discard"),
        Field("serial", "serial"),
        PresenceField("readonly", "readonly"),
        PresenceField("shareable", "shareable"),
        Field("boot_order", "boot@order", INTEGER),
    )

    def new(self, item: dict[str, Any], domain: Element, options: dict[str, Any], facts: Facts) -> Element:
        """See `DeviceSection.new`."""
        if not any(item.get(option) for option in IMAGE_OPTIONS):
            disk = f"new disk {item.get('target', '')}".rstrip()
            raise Failure(f"disks: the {disk} needs an image: a volume or a path.")
        return super().new(item, domain, options, facts)

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """See `Section.patch`. What is on an image does not survive two disks that write to it."""
        before = self._images_of_two(domain, facts)
        super().patch(domain, options, facts)
        for image, targets in self._images_of_two(domain, facts).items():
            if image not in before:
                raise Failure(
                    f"disks: {' and '.join(targets)} would both write to one image, {image}. To put a disk on another "
                    f"bus, name its target too (target: {targets[0]}); to share an image, set shareable on both."
                )

    def patch_device(self, device: Element, item: dict[str, Any], domain: Element, facts: Facts) -> None:
        """See `DeviceSection.patch_device`."""
        if item.get("path") == "":
            raise Failure(
                "disks: only a CD-ROM can be empty; to remove a disk, list those that stay and purge: [disks]."
            )
        super().patch_device(device, item, domain, facts)

    def image_format(self, item: dict[str, Any], facts: Facts) -> str:
        """See `DriveSection.image_format`."""
        return image_format(item, facts, "disks")

    def _images_of_two(self, domain: Element, facts: Facts) -> dict[str, list[str]]:
        """The images behind two disks that do not both share it or only read it → the targets, a new one last."""
        seen: dict[str, Element] = {}
        found = {}
        for device in filter(self.mine, domain.iterfind("devices/disk")):
            place = place_of(image_view(device))
            path = facts.images[place].path if place in facts.images else place
            image = "/".join(path) if isinstance(path, tuple) else path
            other = seen.setdefault(image, device) if image else device
            harmless = any(
                all(one.find(tag) is not None for one in (other, device)) for tag in ("shareable", "readonly")
            )
            if other is not device and not harmless:
                found[image] = [target_of(other), target_of(device)]
        return found


SECTION = Disks()
