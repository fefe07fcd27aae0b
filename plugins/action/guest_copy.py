# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copy files into a guest. The module guest_copy documents it."""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_action import GuestAction
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_copy import CopyInto


class ActionModule(GuestAction):
    """See the documentation of the module."""

    task = CopyInto
    arguments = {
        "src": {"type": "str"},
        "content": {"type": "raw"},
        "dest": {"type": "str", "required": True},
        "mode": {"type": "raw"},
        "directory_mode": {"type": "raw"},
        "owner": {"type": "str"},
        "group": {"type": "str"},
        "timeout": {"type": "float", "default": 600},
    }
    constraints = {"mutually_exclusive": [["src", "content"]], "required_one_of": [["src", "content"]]}
