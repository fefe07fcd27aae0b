# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All sections of a domain. A new one is a file here, a line in each list below, and its documentation.

The imports are written out because Ansible ships only those files to a target that an import names.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.devices import DeviceSection
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import Section
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections import (
    boot,
    cdroms,
    channels,
    consoles,
    cpu,
    disks,
    firmware,
    general,
    graphics,
    interfaces,
    machine,
    memory,
    rng,
    serials,
    tpm,
    vcpus,
    video,
)

# In the order in which they are patched.
SECTIONS: tuple[Section, ...] = (
    general.SECTION,
    machine.SECTION,
    firmware.SECTION,
    memory.SECTION,
    vcpus.SECTION,
    cpu.SECTION,
    disks.SECTION,
    cdroms.SECTION,
    interfaces.SECTION,
    graphics.SECTION,
    video.SECTION,
    serials.SECTION,
    consoles.SECTION,
    channels.SECTION,
    rng.SECTION,
    tpm.SECTION,
    boot.SECTION,
)

DEVICE_SECTIONS: tuple[DeviceSection, ...] = tuple(
    section for section in SECTIONS if isinstance(section, DeviceSection)
)

HARDWARE_ARGUMENTS: dict[str, Any] = {}
for _section in SECTIONS:
    HARDWARE_ARGUMENTS.update(_section.arguments)

HARDWARE_ARGUMENTS["purge"] = {
    "type": "list",
    "elements": "str",
    "choices": [section.option for section in DEVICE_SECTIONS],
}
