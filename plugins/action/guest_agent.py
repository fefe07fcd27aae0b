# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Call a method of a guest's agent. The module guest_agent documents it."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_action import GuestAction
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_call import CallMethod, secrets_in


class ActionModule(GuestAction):
    """See the documentation of the module."""

    task = CallMethod
    arguments = {
        "method": {"type": "str", "required": True},
        "params": {"type": "dict", "default": {}},
        "timeout": {"type": "float", "default": 60},
    }

    @classmethod
    def secrets(cls, params: dict[str, Any]) -> set[str]:
        """See `GuestAction`."""
        return secrets_in(params.get("params"))
