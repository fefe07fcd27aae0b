# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kind of machine a domain is: how it is run, its architecture and machine type."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import FieldSection
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import Field
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, child

# QEMU's short names → how the versions that libvirt makes of them begin.
_FAMILIES = {"q35": "pc-q35-", "pc": "pc-i440fx-", "virt": "virt-"}
_DEFAULT_MACHINES = {"x86_64": "q35", "i686": "q35", "aarch64": "virt", "armv7l": "virt", "riscv64": "virt"}


class Machine(FieldSection):
    """Type (kvm or qemu), architecture, machine type."""

    arguments = {
        "type": {"type": "str", "choices": ["auto", "kvm", "qemu"]},
        "arch": {"type": "str"},
        "machine": {"type": "str"},
    }
    fields = (Field("type", "@type"), Field("arch", "os/type@arch"), Field("machine", "os/type@machine"))

    def defaults(self, facts: Facts, options: dict[str, Any]) -> dict[str, Any]:
        """See `Section.defaults`."""
        machine = _DEFAULT_MACHINES.get(facts.host.arch)
        return {"type": "auto", "arch": facts.host.arch, **({"machine": machine} if machine else {})}

    def patch(self, domain: Element, options: dict[str, Any], facts: Facts) -> None:
        """See `Section.patch`. A domain that exists keeps its type with ``auto``."""
        wanted = {name: options[name] for name in self.arguments if name in options}
        now = self.read(domain)
        if wanted.get("type") == "auto":
            wanted["type"] = now.get("type", facts.host.virtualization)
        if "machine" in wanted and is_version_of(now.get("machine", ""), wanted["machine"]):
            del wanted["machine"]
        _refuse_another_board(now.get("machine"), wanted.get("machine"))
        super().patch(domain, wanted, facts)
        if domain.find("os/type") is not None or not now:
            child(domain, "os/type").text = child(domain, "os/type").text or "hvm"


def is_version_of(machine: str, name: str) -> bool:
    """Whether ``machine`` (``pc-q35-7.2``) is what libvirt makes of ``name`` (``q35``), or the same."""
    return machine == name or (name in _FAMILIES and machine.startswith(_FAMILIES[name]))


def family(machine: str) -> str:
    """``q35`` for ``pc-q35-7.2``; a machine type of no known family is its own."""
    return next((name for name in _FAMILIES if is_version_of(machine, name)), machine)


def _refuse_another_board(now: str | None, wanted: str | None) -> None:
    if now and wanted and family(now) != family(wanted):
        raise Failure(
            f"machine: the domain is a {now}; making it a {wanted} would move all its devices to other addresses. "
            "Remove the domain (its disks stay) and create it again."
        )


SECTION = Machine()
