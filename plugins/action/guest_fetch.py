# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fetch files from a guest. The module guest_fetch documents it."""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_action import GuestAction
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_fetch import Fetch


class ActionModule(GuestAction):
    """See the documentation of the module."""

    task = Fetch
    arguments = {
        "src": {"type": "str", "required": True},
        "dest": {"type": "str", "required": True},
        "flat": {"type": "bool", "default": False},
        "fail_on_missing": {"type": "bool", "default": True},
        "timeout": {"type": "float", "default": 600},
    }
