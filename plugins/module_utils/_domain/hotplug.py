# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing a running domain to a target, as far as libvirt can. Makes no call; its actions do."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Current, Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.rest import rest_to_come
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import (
    LivePlan,
    Running,
    next_boot,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections import SECTIONS
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse

__all__ = ["LivePlan", "plan_live"]


def plan_live(
    handle: Handle, current: Current, target: Element, desired: dict[str, Any], deadline: Deadline
) -> LivePlan:
    """What brings a running domain to the target, and what only its next start does.

    Only what the task names or changes is looked at: a value that somebody set on the running domain alone stays,
    unless the task has an opinion on it.

    :param current: a domain that runs.
    :param target: from `target_configuration`; attaching a device puts the address that the device got into it.
    :param desired: the options that the user named.
    :param deadline: for waiting until the guest has let a device go.
    """
    whole = LivePlan()
    if current.live is None:
        return whole
    running = Running(handle, current.live, current.stored, target, desired, deadline)
    for section in SECTIONS:
        part = section.plan_live(running)
        whole.changes += part.changes
        whole.actions += part.actions
    if "xml" in desired:
        for change in rest_to_come(current.live, current.stored, parse(desired["xml"])):
            whole.changes.append(next_boot(change, "libvirt reads it when the domain starts"))
    return whole
