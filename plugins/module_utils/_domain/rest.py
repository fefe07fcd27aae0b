# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a domain has no option: its paths begin with ``xml.``, and libvirt reads it when the domain starts. Pure."""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.identity import label
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.plugged import unresolve
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.raw_xml import lay_over, without_run_time
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.secrets import is_opaque, is_secret
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections import SECTIONS
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, differences
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, child, clone, remove, same
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.view import view

# Where a running domain's clock is, after its guest has set it.
_MOVING = ("xml.clock.adjustment",)
# Of disks: a guest opens and closes the tray. The type has an option; libvirt writes it for an empty drive, and not
# when that runs.
_OF_DRIVES = (".driver.type", ".target.tray")


def rest_changes(before: Element, after: Element) -> list[Change]:
    """What differs between two configurations, besides what sections show. Secrets are not shown."""
    rests = _rest(before, after), _rest(after, before)
    if same(*rests):  # as nearly always; a view costs more than that
        return []
    one, other = ({"xml": view(rest, label, is_secret, is_opaque)} for rest in rests)
    return differences(one, other)


def rest_to_come(live: Element, stored: Element, given: Element) -> list[Change]:
    """What ``given`` says, besides what sections show, that a running domain does not have.

    :param given: XML as a user writes it, or a configuration.
    """
    held = _as_stored(live)
    wanted = lay_over(held, without_run_time(given, stored), _stays)
    return [change for change in rest_changes(held, wanted) if not _follows(change)]


def rest_to_go(live: Element, stored: Element) -> list[Change]:
    """What a running domain has, besides what sections show and what its start added, that ``stored`` does not."""
    running = lay_over(stored, live, _stays)
    return [change for change in rest_changes(running, stored) if not _follows(change)]


def _rest(domain: Element, other: Element) -> Element:
    """A domain without what sections show of it, and without the devices that they show as missing from the other."""
    rest = clone(domain)
    for section in SECTIONS:
        for device in section.unmatched(rest, other):
            child(rest, "devices").remove(device)
    for section in SECTIONS:
        section.erase(rest)
    for tag in ("name", "uuid"):
        remove(rest, tag)
    return rest


def _as_stored(live: Element) -> Element:
    """A running domain in the words of a configuration, where laying one over it needs that."""
    held = clone(live)
    for interface in held.iterfind("devices/interface"):
        unresolve(interface)
    return held


def _follows(change: Change) -> bool:
    """Whether a difference is no wish: the address that a device gets or loses, a clock that the guest has set."""
    path = change.path
    if ".address." in path and None in (change.before, change.after):
        return True
    if path.endswith(".") and True in (change.before, change.after):
        return True  # an element that was empty, or is: what came into it or went is a difference of its own
    return path in _MOVING or (path.startswith("xml.devices.disk[") and path.endswith(_OF_DRIVES))


def _stays(_element: Element) -> bool:
    """Nothing goes because it is not mentioned."""
    return False
