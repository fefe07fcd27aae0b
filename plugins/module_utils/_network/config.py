# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network's XML as the options that would make it, and the differences of two as a person reads them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.entries import (
    DHCP_KINDS,
    DNS_KINDS,
    IPS,
    EntryKind,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.fields import (
    BOOTP_FIELDS,
    BRIDGE_FIELDS,
    DNS_FIELDS,
    DOMAIN_FIELDS,
    NAT_ADDRESS_FIELDS,
    NAT_FIELDS,
    NAT_PORT_FIELDS,
    VIRTUAL_FIELDS,
    VIRTUAL_MODES,
    read_mode,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.normal import (
    identity,
    normalised,
    without_options,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, differences
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import read_fields
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, canonical, dump
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.view import view

# What becomes of a list: the options that stand for it.
_Show = Callable[[EntryKind, list[dict[str, Any]]], dict[str, Any]]


def read_config(network: Element) -> dict[str, Any]:
    """What a ``<network>`` says, under the names of the module's options."""
    return _read(network, lambda kind, entries: {kind.option: entries})


def same_network(one: Element, other: Element) -> bool:
    """Whether two ``<network>`` elements mean the same to libvirt."""
    return canonical(normalised(one)) == canonical(normalised(other))


def describe(before: Element | None, after: Element | None) -> list[Change]:
    """What differs, by option; and under ``xml`` by place where no option stands for it.

    Networks that are not the same always differ in something: in the whole XML, where nothing smaller can be named.
    """
    if before is not None and after is not None and same_network(before, after):
        return []
    found = [change for change in differences(_keyed(before), _keyed(after)) if not _is_mark(change)]
    return found or [Change("xml", _whole(before), _whole(after))]


def _is_mark(change: Change) -> bool:
    """Whether it only says that a bare entry got details or lost them, which changes of their own show."""
    return change.path.endswith(".") and True in (change.before, change.after)


def _whole(network: Element | None) -> str | None:
    return None if network is None else dump(normalised(network))


def _keyed(network: Element | None) -> dict[str, Any]:
    if network is None:
        return {}
    unknown = view(without_options(network), identity)
    return {**_read(network, _by_key), **({"xml": unknown} if isinstance(unknown, dict) else {})}


def _by_key(kind: EntryKind, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """``hosts[10.0.0.9]`` and so on, or one list of keys where these say everything about the entries."""
    if kind.plain:
        return {kind.option: [kind.key(entry) for entry in entries]} if entries else {}
    shown: dict[str, Any] = {}
    namesakes: Counter[str] = Counter()
    for entry in entries:
        key = kind.key(entry)
        namesakes[key] += 1
        name = f"{kind.option}[{key}]" if namesakes[key] == 1 else f"{kind.option}[{key} #{namesakes[key]}]"
        shown[name] = kind.details(entry) or True
    return shown


def _read(network: Element, show: _Show) -> dict[str, Any]:
    mode = read_mode(network)
    config: dict[str, Any] = {"mode": mode, **read_fields(network, BRIDGE_FIELDS)}
    if mode not in VIRTUAL_MODES:
        return config
    config.update(read_fields(network, VIRTUAL_FIELDS))
    if mode == "nat":
        config["nat"] = _read_nat(network)
    config["domain"] = read_fields(network, DOMAIN_FIELDS)
    config["dns"] = read_fields(network, DNS_FIELDS)
    for kind in DNS_KINDS:
        config["dns"].update(show(kind, kind.read(network)))
    config.update(show(IPS, [_read_ip(ip, entry, show) for ip, entry in _ips(network)]))
    return config


def _ips(network: Element) -> list[tuple[Element, dict[str, Any]]]:
    return list(zip(IPS.elements(network), IPS.read(network)))


def _read_ip(ip: Element, entry: dict[str, Any], show: _Show) -> dict[str, Any]:
    dhcp: dict[str, Any] = {}
    for kind in DHCP_KINDS:
        dhcp.update(show(kind, kind.read(ip)))
    bootp = read_fields(ip, BOOTP_FIELDS)
    if bootp:
        dhcp["bootp"] = bootp
    return {**entry, "dhcp": dhcp} if dhcp else entry


def _read_nat(network: Element) -> dict[str, Any]:
    nat = read_fields(network, NAT_FIELDS)
    address = read_fields(network, NAT_ADDRESS_FIELDS)
    if address:
        nat["address"] = address
    nat["port"] = read_fields(network, NAT_PORT_FIELDS)
    return nat
