# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a guest about itself. The module guest_info documents it."""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_action import GuestAction
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_info import TOPICS, Ask


class ActionModule(GuestAction):
    """See the documentation of the module."""

    task = Ask
    arguments = {
        "gather": {
            "type": "list",
            "elements": "str",
            "choices": list(TOPICS),
            "default": ["system", "network", "disks", "agent"],
        },
    }
