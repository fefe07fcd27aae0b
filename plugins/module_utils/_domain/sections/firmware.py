# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Firmware: BIOS or UEFI, Secure Boot, or a kernel that QEMU loads itself."""

from __future__ import annotations

import posixpath
from typing import Any
from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import Running, Section
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import Field, patch_fields, read_fields
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    attribute_at,
    child,
    remove,
    text_at,
)

_KERNEL = (Field("kernel", "os/kernel"), Field("initrd", "os/initrd"), Field("cmdline", "os/cmdline"))
# Secure Boot checks signatures only when keys are enrolled, so the two go together.
_SECURE_FEATURES = ("enrolled-keys", "secure-boot")
_CHOSEN_BY_LIBVIRT = ("loader", "nvram", "firmware")
_UEFI_ONLY = ("aarch64", "riscv64")


class Firmware(Section):
    """Firmware and direct kernel boot."""

    arguments = {
        "firmware": {"type": "str", "choices": ["bios", "uefi"]},
        "secure_boot": {"type": "bool"},
        **{field.option: {"type": "str"} for field in _KERNEL},
    }

    def defaults(self, facts: Facts, options: dict[str, Any]) -> dict[str, Any]:
        """Left to itself libvirt may choose a UEFI that boots signed systems only."""
        firmware = options.get("firmware", "uefi" if options.get("arch") in _UEFI_ONLY else "bios")
        return {"firmware": firmware, **({"secure_boot": False} if firmware == "uefi" else {})}

    def read(self, domain: Element) -> dict[str, Any]:
        """See `Section.read`."""
        firmware = _firmware(domain)
        secure = {"secure_boot": _secure_boot(domain)} if firmware == "uefi" else {}
        return {"firmware": firmware, **secure, **read_fields(domain, _KERNEL)}

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """See `Section.patch`."""
        patch_fields(domain, _KERNEL, options)
        held, secure = _firmware(domain), options.get("secure_boot")
        wanted = options.get("firmware", held)
        if secure and wanted != "uefi":
            raise Failure("secure_boot needs firmware: uefi.")
        if wanted != held:
            _patch_firmware(domain, wanted, facts)
            secure = bool(secure)  # as in `defaults`
        if secure is not None and wanted == "uefi" and secure != _secure_boot(domain):
            # A new domain, and one that had BIOS, has no variables yet: libvirt chooses their place.
            needs_others = facts.uuid is None and held == "uefi" and secure != bool(_secure_boot(domain))
            variables = _other_variables(domain, secure, facts.variables) if needs_others else None
            _patch_secure_boot(domain, secure, variables or _named_variables(domain))

    def erase(self, domain: Element) -> None:
        """See `Section.erase`."""
        for field in _KERNEL:
            field.erase(domain)
        found = domain.find("os")
        if found is not None:
            _forget_choice(found)
            found.attrib.pop("firmware", None)

    def live_differences(self, running: Running) -> list[Change]:
        """See `Section.live_differences`; what libvirt chose where the target does not say is none."""
        changes = super().live_differences(running)
        if is_uefi(running.target) and _secure_boot(running.target) is None:
            return [change for change in changes if change.path != "secure_boot"]
        return changes


def is_uefi(domain: Element) -> bool:
    """Whether a domain boots with UEFI."""
    return _firmware(domain) == "uefi"


def variables_of(domain: Element, folder: str) -> str | None:
    """The file on the hypervisor with a domain's UEFI variables; None for a domain that has none there.

    :param folder: of `Facts`: libvirt 9.0 does not store the file, and goes by the domain's name at each start.
    """
    if domain.find("os/nvram") is not None:
        return _named_variables(domain)
    stateless = attribute_at(domain, "os/loader", "stateless") == "yes"
    chosen = attribute_at(domain, "os", "firmware") == "efi" and not stateless
    return f"{folder}/{text_at(domain, 'name')}_VARS.fd" if chosen and folder else None


def keep_variables(domain: Element, before: Element, folder: str) -> None:
    """Let a domain have the file with its UEFI variables under another name too.

    :param domain: the configuration with the new name, changed in place.
    :param before: that with the old name.
    :param folder: see `variables_of`.
    """
    variables = variables_of(before, folder)
    if variables is not None and is_uefi(domain) and domain.find("os/nvram") is None:
        child(domain, "os/nvram").text = variables


def _firmware(domain: Element) -> str:
    found = domain.find("os")
    if found is None:
        return "bios"
    loader = found.find("loader")
    pflash = loader is not None and loader.get("type") == "pflash"
    return "uefi" if pflash or found.get("firmware") == "efi" else "bios"


def _secure_boot(domain: Element) -> bool | None:
    """Whether Secure Boot is on; None where libvirt has not been told and has not chosen yet."""
    found = domain.find("os/firmware/feature[@name='secure-boot']")
    if found is not None:
        return found.get("enabled") == "yes"
    loader = domain.find("os/loader")
    return None if loader is None else loader.get("secure") == "yes"


def _patch_firmware(domain: Element, wanted: str, facts: Facts) -> None:
    if wanted == "uefi" and "efi" not in facts.host.firmware:
        raise Failure(
            "firmware: the host has no UEFI firmware for this machine type: install its package (ovmf, edk2)."
        )
    element = child(domain, "os")
    _forget_choice(element)
    if wanted == "uefi":
        element.set("firmware", "efi")
    else:
        element.attrib.pop("firmware", None)


def _patch_secure_boot(domain: Element, secure: bool, variables: str | None) -> None:
    element = child(domain, "os")
    _forget_choice(element)  # libvirt then chooses files that fit
    element.set("firmware", "efi")
    features = ElementTree.SubElement(element, "firmware")
    for name in _SECURE_FEATURES:
        ElementTree.SubElement(features, "feature", {"enabled": "yes" if secure else "no", "name": name})
    if variables is not None:
        child(element, "nvram").text = variables
    if secure:
        child(domain, "features/smm").set("state", "on")


def _named_variables(domain: Element) -> str | None:
    """The file with the UEFI variables that the configuration names."""
    nvram = domain.find("os/nvram")
    return None if nvram is None else (nvram.text or "").strip() or attribute_at(nvram, "source", "file")


def _other_variables(domain: Element, secure: bool, folder: str) -> str | None:
    """A file for the variables that go with Secure Boot, or with none.

    The keys are in the variables, and libvirt fills a file that does not exist only. The uuid keeps it apart from
    the files of other domains, also of those that had, or will have, the name of this one. None where only libvirt
    knows the folder.
    """
    directory = posixpath.dirname(variables_of(domain, folder) or "")
    return f"{directory}/{text_at(domain, 'uuid')}_{'SECURE_BOOT_' if secure else ''}VARS.fd" if directory else None


def _forget_choice(element: Element) -> None:
    for tag in _CHOSEN_BY_LIBVIRT:
        remove(element, tag)


SECTION = Firmware()
