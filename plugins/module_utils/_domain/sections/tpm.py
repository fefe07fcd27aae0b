# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulated TPM."""

from __future__ import annotations

from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections import firmware
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.switches import SwitchSection
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at


class Tpm(SwitchSection):
    """A TPM 2.0 that swtpm emulates. libvirt does not add one to a running domain."""

    option = "tpm"
    tag = "tpm"
    arguments = {"tpm": {"type": "bool"}}

    def new(self, domain: Element, facts: Facts) -> Element:
        """See `SwitchSection.new`. UEFI knows the newer interface (CRB); it exists on x86 only."""
        if not facts.host.tpm:
            raise Failure("tpm: the host cannot emulate a TPM: install swtpm (Debian: swtpm and swtpm-tools) there.")
        crb = attribute_at(domain, "os/type", "arch") == "x86_64" and firmware.is_uefi(domain)
        device = ElementTree.Element("tpm", {"model": "tpm-crb" if crb else "tpm-tis"})
        ElementTree.SubElement(device, "backend", {"type": "emulator", "version": "2.0"})
        return device


SECTION = Tpm()
