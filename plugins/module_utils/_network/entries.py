# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists whose entries have an identity: DHCP ranges and hosts, DNS records, addresses. Pure.

An entry of the task changes the entry that it is about and leaves the others alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.addresses import (
    networks_overlap,
    overlap,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.fields import (
    DHCP_HOST_FIELDS,
    DNS_HOST_FIELDS,
    FORWARDER_FIELDS,
    IP_FIELDS,
    RANGE_FIELDS,
    SRV_FIELDS,
    TXT_FIELDS,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import (
    Field,
    patch_fields,
    read_fields,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    child,
    remove,
)

Entry = dict[str, Any]
Test = Callable[[Entry, Entry], bool]


@dataclass(frozen=True)
class EntryKind:
    """One kind of list.

    :ivar option: the list as an option, for example ``hosts``.
    :ivar purge: its word in the option ``purge``.
    :ivar path: the element that holds the entries, below the owner; empty for the owner itself.
    :ivar tag: the element of one entry.
    :ivar fields: the options of one entry.
    :ivar ranks: how to find the entry that a wanted one is about, the surest way first.
    :ivar key: a short name of an entry, for people.
    :ivar keys: the options that the key shows, besides the one whose value is the key.
    :ivar plain: whether the key says everything about an entry.
    """

    option: str
    purge: str
    path: str
    tag: str
    fields: tuple[Field, ...]
    ranks: tuple[Test, ...]
    key: Callable[[Entry], str]
    keys: tuple[str, ...] = ()
    plain: bool = False

    def details(self, entry: Entry) -> Entry:
        """What the key does not show of an entry."""
        key = self.key(entry)
        return {name: value for name, value in entry.items() if name not in self.keys and value != key}

    def elements(self, owner: Element) -> list[Element]:
        """The entries in the XML, in their order."""
        return owner.findall(f"{self.path}/{self.tag}" if self.path else self.tag)

    def read(self, owner: Element) -> list[Entry]:
        """The entries as options."""
        return [read_fields(element, self.fields) for element in self.elements(owner)]


def patch_entries(owner: Element, kind: EntryKind, wanted: list[Entry], purge: bool) -> list[tuple[Element, Entry]]:
    """Bring a list to what is wanted, in place.

    :param purge: whether entries that are not wanted go.
    :return: the element of each wanted entry.
    """
    existing = kind.elements(owner)
    found = _assign(kind, existing, wanted)
    if purge:
        kept = {id(element) for element in found if element is not None}
        _remove(owner, kind, [element for element in existing if id(element) not in kept])
    pairs = []
    for element, entry in zip(found, wanted):
        if element is None:
            element = ElementTree.SubElement(child(owner, kind.path), kind.tag)
        patch_fields(element, kind.fields, entry)
        pairs.append((element, entry))
    return pairs


def _assign(kind: EntryKind, existing: list[Element], wanted: list[Entry]) -> list[Element | None]:
    """For each wanted entry the element it is about; an element serves one entry only."""
    free = {position: read_fields(item, kind.fields) for position, item in enumerate(existing)}
    found: list[Element | None] = [None] * len(wanted)
    for is_about in kind.ranks:
        for position, entry in enumerate(wanted):
            if found[position] is not None:
                continue
            match = next((at for at, held in free.items() if is_about(held, entry)), None)
            if match is not None:
                found[position] = existing[match]
                del free[match]
    return found


def _remove(owner: Element, kind: EntryKind, elements: Iterable[Element]) -> None:
    parent = owner.find(kind.path) if kind.path else owner
    if parent is None:
        return
    for element in elements:
        parent.remove(element)
    if kind.path and not (len(parent) or parent.attrib):
        remove(owner, kind.path)


def _equal(*names: str) -> Test:
    """Both have the same values, at least one of which is there."""

    def is_about(held: Entry, wanted: Entry) -> bool:
        values = [held.get(name) for name in names]
        return any(values) and values == [wanted.get(name) for name in names]

    return is_about


def _equal_if_unidentified(name: str) -> Test:
    """As `_equal`, but a MAC address or DUID on both sides means two machines, as equal ones were found before."""
    equal = _equal(name)

    def is_about(held: Entry, wanted: Entry) -> bool:
        identified = all(entry.get("mac") or entry.get("id") for entry in (held, wanted))
        return not identified and equal(held, wanted)

    return is_about


def _ranges_overlap(held: Entry, wanted: Entry) -> bool:
    return overlap((held["start"], held["end"]), (wanted["start"], wanted["end"]))


def _host_key(entry: Entry) -> str:
    return str(entry.get("mac") or entry.get("id") or entry.get("name") or entry.get("ip"))


def _srv_key(entry: Entry) -> str:
    name = ".".join(filter(None, (f"_{entry['service']}", f"_{entry['protocol']}", entry.get("domain"))))
    return f"{name} {entry['target']}" if entry.get("target") else name


_SRV_KEYS = ("service", "protocol", "domain", "target")

IPS = EntryKind(
    "ips",
    "ips",
    "",
    "ip",
    IP_FIELDS,
    (_equal("address"), lambda held, wanted: networks_overlap(held["address"], wanted["address"])),
    lambda entry: str(entry["address"]),
)
RANGES = EntryKind(
    "ranges",
    "dhcp_ranges",
    "dhcp",
    "range",
    RANGE_FIELDS,
    (_equal("start", "end"), _ranges_overlap),
    lambda entry: f"{entry['start']} - {entry['end']}",
    plain=True,
)
DHCP_HOSTS = EntryKind(
    "hosts",
    "dhcp_hosts",
    "dhcp",
    "host",
    DHCP_HOST_FIELDS,
    (_equal("mac"), _equal("id"), _equal_if_unidentified("ip"), _equal_if_unidentified("name")),
    _host_key,
)
DNS_HOSTS = EntryKind(
    "hosts",
    "dns_hosts",
    "dns",
    "host",
    DNS_HOST_FIELDS,
    (_equal("ip"),),
    lambda entry: str(entry["ip"]),
)
DNS_TXT = EntryKind(
    "txt",
    "dns_txt",
    "dns",
    "txt",
    TXT_FIELDS,
    (_equal("name"),),
    lambda entry: str(entry["name"]),
)
DNS_SRV = EntryKind(
    "srv",
    "dns_srv",
    "dns",
    "srv",
    SRV_FIELDS,
    (_equal(*_SRV_KEYS),),
    _srv_key,
    keys=_SRV_KEYS,
)
DNS_FORWARDERS = EntryKind(
    "forwarders",
    "dns_forwarders",
    "dns",
    "forwarder",
    FORWARDER_FIELDS,
    (_equal("address", "domain"),),
    lambda entry: " for ".join(filter(None, (entry.get("address"), entry.get("domain")))),
    plain=True,
)

DHCP_KINDS = (RANGES, DHCP_HOSTS)
DNS_KINDS = (DNS_FORWARDERS, DNS_HOSTS, DNS_TXT, DNS_SRV)
PURGES = tuple(kind.purge for kind in (IPS, *DHCP_KINDS, *DNS_KINDS))
