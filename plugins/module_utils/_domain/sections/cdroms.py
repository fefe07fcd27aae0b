# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CD-ROM drives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.drives import BUSES, DriveSection
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.images import (
    IMAGE_ARGUMENTS,
    IMAGE_OPTIONS,
    carry_image,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import INTEGER, Field
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, child


class Cdroms(DriveSection):
    """CD-ROM drives, by target. The medium of a running domain can be exchanged.

    The default bus is SCSI because the kernels of cloud images often lack a driver for SATA.
    """

    option = "cdroms"
    noun = "CD-ROM drive"
    kind = "cdrom"
    default_bus = "scsi"
    any_bus = True
    hotplug = True
    arguments = {
        "cdroms": {
            "type": "list",
            "elements": "dict",
            "mutually_exclusive": [IMAGE_OPTIONS],
            "options": {
                **IMAGE_ARGUMENTS,
                "target": {"type": "str"},
                "bus": {"type": "str", "choices": [bus for bus in BUSES if bus != "virtio"]},
                "boot_order": {"type": "int"},
            },
        },
    }
    fields = (Field("bus", "target@bus"), Field("boot_order", "boot@order", INTEGER))

    def new(self, item: dict[str, Any], domain: Element, options: dict[str, Any], facts: Facts) -> Element:
        """See `DeviceSection.new`."""
        device = super().new(item, domain, options, facts)
        child(device, "driver").set("type", "raw")
        ElementTree.SubElement(device, "readonly")
        return device

    def image_format(self, item: dict[str, Any], facts: Facts) -> str:
        """A medium is raw: that is what an ISO image is."""
        return "raw"

    def carry_live(self, device: Element, target: Element, options: Iterable[str]) -> None:
        """The medium is all that `live_options` allows."""
        carry_image(device, target)


SECTION = Cdroms()
