# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a command in a guest. The module guest_command documents it."""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_action import GuestAction
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_command import RunCommand


class ActionModule(GuestAction):
    """See the documentation of the module."""

    task = RunCommand
    arguments = {
        "argv": {"type": "list", "elements": "str"},
        "cmd": {"type": "str"},
        "chdir": {"type": "str"},
        "creates": {"type": "str"},
        "removes": {"type": "str"},
        "stdin": {"type": "str"},
        "env": {"type": "dict"},
        "user": {"type": "str"},
        "timeout": {"type": "float", "default": 60},
    }
    constraints = {"mutually_exclusive": [["argv", "cmd"]], "required_one_of": [["argv", "cmd"]]}
