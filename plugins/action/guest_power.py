# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shut a guest down or reboot it. The module guest_power documents it."""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_action import GuestAction
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_power import SwitchPower


class ActionModule(GuestAction):
    """See the documentation of the module."""

    task = SwitchPower
    arguments = {
        "state": {"type": "str", "choices": ["shutdown", "reboot"], "required": True},
        "timeout": {"type": "float", "default": 300},
    }
