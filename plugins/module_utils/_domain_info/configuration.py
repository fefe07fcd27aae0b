# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A domain's configuration as the options of the module domain, and where a running domain differs from it. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.devices import DeviceSection
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.rest import rest_to_come, rest_to_go
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import Running, Section
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections import SECTIONS
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections.memory import whole_mib
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, differences
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._units import Size
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import Secret
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element


def configuration(domain: Element) -> dict[str, Any]:
    """The options that describe a ``<domain>``; sizes are bytes, devices are dicts by their keys."""
    options: dict[str, Any] = {}
    for section in SECTIONS:
        options.update(section.read(domain))
    return dict(_plain(options))


def drift(stored: Element, live: Element) -> list[dict[str, Any]]:
    """Where a running domain differs from what it will be after its next start.

    Each item has the ``path`` of the option, as ``disks.vda.cache``, or of what has none, as
    ``xml.devices.watchdog.model``, and its value ``stored`` and ``live``; None where there is none. What libvirt fills
    in when it starts a domain (a port, the model of the host's CPU) is no difference.
    """
    changes = [change for section in SECTIONS for change in _differences(section, stored, live)]
    rest = [*rest_to_come(live, stored, stored), *rest_to_go(live, stored)]
    changes += {change.path: change for change in rest}.values()
    return [{"path": change.path, "stored": _plain(change.after), "live": _plain(change.before)} for change in changes]


def _differences(section: Section, stored: Element, live: Element) -> list[Change]:
    if isinstance(section, DeviceSection):
        kept = section.keyed(stored)
        before = {key: section.live_view(device, kept.get(key)) for key, device in section.keyed(live).items()}
        after = {key: section.view(device) for key, device in kept.items()}
        return differences({section.option: before}, {section.option: after})
    everything = dict.fromkeys(section.arguments)
    found = section.live_differences(Running(Handle(""), live, stored, stored, everything, Deadline(None)))
    return [change for change in found if not _is_rounding(change)]


def _is_rounding(change: Change) -> bool:
    """Whether memory differs only because a domain starts with whole MiB."""
    sizes = change.before, change.after
    return all(isinstance(size, Size) for size in sizes) and len({whole_mib(size) for size in sizes}) == 1


def _plain(value: Any) -> Any:
    """A value without types of our own, which Ansible's JSON does not know or would show as they are."""
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value
