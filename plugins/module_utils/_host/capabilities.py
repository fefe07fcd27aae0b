# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host and its QEMU can do, from libvirt's capabilities. Pure.

https://libvirt.org/formatcaps.html and https://libvirt.org/formatdomaincaps.html
"""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, attribute_at, text_at

_NO_KVM = (
    "libvirt does not offer it: check that virtualization is switched on in the firmware of the host, that the kernel "
    "module kvm is loaded and that its QEMU is built for KVM, then restart its libvirt daemon"
)


def host_arch(capabilities: Element) -> str:
    """The architecture of the host, such as ``x86_64``."""
    return text_at(capabilities, "host/cpu/arch") or "unknown"


def best_machine(capabilities: Element) -> str | None:
    """The machine type to ask about: only q35 knows Secure Boot; None leaves the choice to libvirt."""
    guest = _native_guest(capabilities)
    machines = [] if guest is None else [machine.text for machine in guest.iterfind("arch/machine")]
    return "q35" if "q35" in machines else None


def describe_cpu(capabilities: Element) -> dict[str, Any]:
    """Model and vendor as libvirt knows them; None where it does not."""
    cpu = capabilities.find("host/cpu")
    return {
        "arch": host_arch(capabilities),
        "model": None if cpu is None else text_at(cpu, "model"),
        "vendor": None if cpu is None else text_at(cpu, "vendor"),
    }


def describe_kvm(capabilities: Element, unusable: str) -> dict[str, Any]:
    """Whether KVM can be used.

    :param unusable: why the host's QEMU may not use it, as far as that could be looked at; may be empty.
    """
    offered = "kvm" in virtualization_types(capabilities)
    reason = unusable if unusable or offered else _NO_KVM
    return {"usable": not reason, "reason": reason or None}


def virtualization_types(capabilities: Element) -> list[str]:
    """The types that a domain of the host's own architecture can have."""
    guest = _native_guest(capabilities)
    return [] if guest is None else sorted({domain.get("type", "") for domain in guest.iterfind("arch/domain")})


def has_iommu(capabilities: Element) -> bool:
    """Whether devices of the host can be given to domains."""
    return attribute_at(capabilities, "host/iommu", "support") == "yes"


def describe_features(capabilities: Element, domain: Element) -> dict[str, Any]:
    """What a new domain can have.

    :param capabilities: those of the host; libvirt tells of external snapshots there, since it can revert to them.
    :param domain: ``<domainCapabilities>``.
    """
    guest = _native_guest(capabilities)
    firmware = _values(domain, "os/enum[@name='firmware']")
    return {
        "machine": text_at(domain, "machine"),
        "max_vcpus": int(attribute_at(domain, "vcpu", "max") or 0) or None,
        "uefi": "efi" in firmware,
        "secure_boot": "efi" in firmware and "yes" in _values(domain, "os/loader/enum[@name='secure']"),
        "tpm": "emulator" in _values(domain, "devices/tpm/enum[@name='backendModel']"),
        "tpm_versions": _values(domain, "devices/tpm/enum[@name='backendVersion']"),
        "external_snapshots": guest is not None and guest.find("features/externalSnapshot") is not None,
        "backup": attribute_at(domain, "features/backup", "supported") == "yes",
        "cpu_modes": sorted(
            mode.get("name", "") for mode in domain.iterfind("cpu/mode") if mode.get("supported") == "yes"
        ),
    }


def version_text(number: int) -> str:
    """libvirt writes 9.0.1 as 9000001."""
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"


def _native_guest(capabilities: Element) -> Element | None:
    return capabilities.find(f"guest/arch[@name='{host_arch(capabilities)}']/..")


def _values(element: Element, path: str) -> list[str]:
    return [(value.text or "").strip() for value in element.iterfind(f"{path}/value")]
