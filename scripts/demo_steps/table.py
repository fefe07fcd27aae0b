# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The address table at the end of the demo. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HEAD = ("VM", "HYPERVISOR", "STATE", "ADDRESS", "SOURCE")
_NO_ADDRESS = "user-mode networking"


def address_table(inventory: Mapping[str, Any]) -> str:
    """One line a VM, from what `ansible-inventory --list` says."""
    hosts = inventory.get("_meta", {}).get("hostvars", {})
    rows = [_HEAD, *(_row(name, hosts[name]) for name in sorted(hosts))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def has_address(inventory: Mapping[str, Any]) -> bool:
    """Whether any VM has an address on a network of libvirt's. Others are known only inside of the VM."""
    hosts = inventory.get("_meta", {}).get("hostvars", {}).values()
    return any(found["source"] == "lease" for variables in hosts for found in variables.get("libvirt_addresses", []))


def _row(name: str, variables: Mapping[str, Any]) -> tuple[str, ...]:
    address = str(variables.get("ansible_host", _NO_ADDRESS))
    source = next((a["source"] for a in variables.get("libvirt_addresses", []) if a["address"] == address), "-")
    return name, str(variables.get("libvirt_hypervisor", "")), str(variables.get("libvirt_state", "")), address, source
