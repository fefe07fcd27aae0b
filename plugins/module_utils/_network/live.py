# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the XML of an active network to the wanted one, by virNetworkUpdate. Pure.

virNetworkUpdate knows these sections only (https://libvirt.org/html/libvirt-libvirt-network.html#virNetworkUpdate;
"can't update section" for the others as of libvirt 11.3). libvirt's client library sends command and section in
the order that old daemons expect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.addresses import shortest
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.fields import (
    ForwardDeviceField,
    InterfaceField,
    read_mode,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.normal import identity
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    canonical,
    child,
    clone,
    remove,
)

_ADDRESS = InterfaceField("address", "@address")
_FORWARD_DEVICE = ForwardDeviceField("forward_dev", "forward")


@dataclass(frozen=True)
class Section:
    """A part of a network that libvirt can change while it is active.

    :ivar name: the end of libvirt's constant VIR_NETWORK_SECTION_….
    :ivar path: the element that holds the entries, below its owner: the network, or an ``<ip>``.
    :ivar identity: the attribute that libvirt finds an entry by when it modifies one; empty where it cannot.
    :ivar keys: what libvirt finds an entry by when it removes one, and what no two entries may share when it adds
        one; empty where it compares all attributes that the call gives, and those only.
    """

    name: str
    path: str
    tag: str
    identity: str = ""
    keys: tuple[str, ...] = ()

    def entries(self, owner: Element) -> list[Element]:
        """The entries below an owner."""
        return owner.findall(f"{self.path}/{self.tag}" if self.path else self.tag)

    def to_remove(self, entry: Element) -> Element:
        """What to name of an entry to remove it.

        libvirt would take a name that a DNS host shares with another for a second match.
        """
        if not self.keys:
            return entry
        return Element(self.tag, {name: entry.get(name, "") for name in self.keys if name in entry.attrib})

    def is_found_by(self, held: Element, call: Element) -> bool:
        """Whether libvirt takes ``held`` for what a call with ``to_remove`` is about."""
        return all(_value(held, name) == _value(call, name) for name in call.attrib)

    def rules_out(self, held: Element, new: Element) -> bool:
        """Whether libvirt refuses to add ``new`` because of ``held``."""
        if not self.keys:
            return self.is_found_by(held, new)
        return any(name in new.attrib and _value(held, name) == _value(new, name) for name in self.keys)


_IP_SECTIONS = (
    Section("IP_DHCP_RANGE", "dhcp", "range"),
    Section("IP_DHCP_HOST", "dhcp", "host", "mac", keys=("mac", "id", "name", "ip")),
)
_NETWORK_SECTIONS = (
    Section("DNS_HOST", "dns", "host", keys=("ip",)),
    Section("DNS_TXT", "dns", "txt", keys=("name",)),
    Section("DNS_SRV", "dns", "srv"),
    Section("PORTGROUP", "", "portgroup", "name", keys=("name",)),
)
_FORWARD_INTERFACE = Section("FORWARD_INTERFACE", "forward", "interface")

# Deleting comes first: libvirt refuses a new entry that shares a name or address with an old one.
_ORDER = ("DELETE", "MODIFY", "ADD_LAST")


@dataclass(frozen=True)
class Update:
    """One call of virNetworkUpdate.

    :ivar command: the end of libvirt's constant VIR_NETWORK_UPDATE_COMMAND_….
    :ivar index: which ``<ip>`` of the network; -1 where the section is not in one.
    """

    command: str
    section: Section
    index: int
    entry: Element

    @property
    def summary(self) -> str:
        """What it does, for people."""
        verb = {"DELETE": "remove", "MODIFY": "change", "ADD_LAST": "add"}[self.command]
        what = self.section.name.lower().replace("_", " ")
        return f"{verb} the {what} {identity(self.entry) or ''}".rstrip() + " of the active network"


@dataclass(frozen=True)
class LiveUpdates:
    """The calls to make, and what the active network is like afterwards."""

    updates: list[Update]
    after: Element


def plan_updates(live: Element, target: Element) -> LiveUpdates:
    """What libvirt can change of an active network towards ``target``, and how far that gets.

    A call that libvirt would refuse is not made: what it was for waits for the next start of the network.
    """
    after = clone(live)
    found: list[Update] = []
    if read_mode(live) == read_mode(target):
        for section, index, owner, wanted in _sections(after, target):
            updates, entries = _differences(section, index, section.entries(owner), section.entries(wanted))
            found += updates
            _replace(section, owner, wanted, entries)
    found.sort(key=lambda update: _ORDER.index(update.command))
    return LiveUpdates(found, after)


def _sections(live: Element, target: Element) -> Iterator[tuple[Section, int, Element, Element]]:
    wanted = {_ADDRESS.read(ip): ip for ip in target.findall("ip")}
    for index, ip in enumerate(live.findall("ip")):
        other = wanted.get(_ADDRESS.read(ip))
        if other is not None:
            yield from ((section, index, ip, other) for section in _IP_SECTIONS)
    yield from ((section, -1, live, target) for section in _NETWORK_SECTIONS)
    if read_mode(live) in ("nat", "routed"):
        yield _FORWARD_INTERFACE, -1, live, target


def _differences(
    section: Section, index: int, live: list[Element], target: list[Element]
) -> tuple[list[Update], list[Element]]:
    """The calls for one section, and the entries that it has after them."""
    held, wanted = ({_spelling(item): item for item in items} for items in (live, target))
    gone = {key: item for key, item in held.items() if key not in wanted}
    new = {key: item for key, item in wanted.items() if key not in held}
    after = list(live)
    updates = []
    for key, item in list(new.items()):
        old = next((at for at, entry in gone.items() if _same_identity(section, entry, item)), None)
        if old is not None:
            updates.append(Update("MODIFY", section, index, item))
            after[after.index(gone[old])] = item
            del gone[old], new[key]
    for item in _removable(section, list(gone.values()), after):
        updates.append(Update("DELETE", section, index, section.to_remove(item)))
        after.remove(item)
    for item in _addable(section, list(new.values()), after):
        updates.append(Update("ADD_LAST", section, index, item))
        after.append(item)
    return updates, after


# An attribute that a call leaves out matches anything. So of two entries the one that says more is removed first and
# added last.


def _removable(section: Section, items: list[Element], held: list[Element]) -> Iterator[Element]:
    """Those of the items that libvirt can tell from all others held; the caller removes each before the next."""
    for item in sorted(items, key=_attributes, reverse=True):
        call = section.to_remove(item)
        if [entry for entry in held if section.is_found_by(entry, call)] == [item]:
            yield item


def _addable(section: Section, items: list[Element], held: list[Element]) -> Iterator[Element]:
    """Those of the items that libvirt takes beside what is held; the caller adds each before the next."""
    for item in sorted(items, key=_attributes):
        if not any(section.rules_out(entry, item) for entry in held):
            yield item


def _attributes(entry: Element) -> int:
    return len(entry.attrib)


def _value(entry: Element, name: str) -> str | None:
    """An attribute in one spelling, or None where it is not there."""
    value = entry.get(name)
    if value is None:
        return None
    return value.lower() if name == "mac" else shortest(value)


def _same_identity(section: Section, one: Element, other: Element) -> bool:
    value = one.get(section.identity)
    return value is not None and value.lower() == other.get(section.identity, "").lower()


def _replace(section: Section, owner: Element, wanted: Element, entries: list[Element]) -> None:
    """Give ``owner`` these entries: what the updates will do."""
    if section is _FORWARD_INTERFACE:
        _FORWARD_DEVICE.write(owner, _FORWARD_DEVICE.read(wanted) or "")
        return
    path = f"{section.path}/{section.tag}" if section.path else section.tag
    while owner.find(path) is not None:
        remove(owner, path)
    for entry in entries:
        child(owner, section.path).append(clone(entry))


def _spelling(entry: Element) -> str:
    """Equal for entries that mean the same: a MAC in either case is one."""
    plain = clone(entry)
    plain.attrib.pop("connections", None)
    if "mac" in plain.attrib:
        plain.set("mac", plain.get("mac", "").lower())
    return repr(canonical(plain))
