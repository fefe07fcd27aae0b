#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The task runs on the controller: the action plugin of the same name does all the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_command
short_description: Run a command in a guest
version_added: 0.1.0
description:
  - Runs a command in a virtual machine, through the agent in its guest, and returns what it wrote and how it ended.
  - With O(creates) or O(removes) it runs only where it has something to do.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.guest
  - kvmmanager.libvirt.attributes
attributes:
  check_mode:
    support: partial
    details: Where O(creates) and O(removes) do not tell whether the command would run, check mode skips the task.
  diff_mode:
    support: none
    details: Nobody knows what a command changes.
  idempotent:
    support: partial
    details: With O(creates) or O(removes).
options:
  argv:
    description:
      - The program and its arguments, as a list. No shell looks at them.
      - The program is an absolute path, or a name that is looked up in the usual folders.
      - Either this or O(cmd) is needed.
    type: list
    elements: str
  cmd:
    description: A command line for C(/bin/sh) of the guest.
    type: str
  chdir:
    description: The folder to run it in. By default the home of the user.
    type: str
  creates:
    description: A path of the guest. When there is something, the command is not run.
    type: str
  removes:
    description: A path of the guest. When there is nothing, the command is not run.
    type: str
  stdin:
    description: What the command reads as its input. By default it has none.
    type: str
  env:
    description:
      - Environment variables for the command, besides C(PATH), C(HOME), C(LANG), C(USER), C(LOGNAME) and C(SHELL).
    type: dict
  user:
    description: The user of the guest to run it as. By default that of the agent, which is root.
    type: str
  timeout:
    description: After how many seconds the command is stopped, with all that it has started, and the task fails.
    type: float
    default: 60
notes:
  - With C(-v), lines are shown as the command writes them. Set C(no_log) for a command that writes secrets.
  - The agent may send less than the command wrote, see RV(stdout_truncated). Of each stream 64 MiB are kept.
  - qemu-guest-agent gives the output when the command has ended, at most 2.4 MB of stdout and 0.5 MB of stderr.
seealso:
  - module: kvmmanager.libvirt.guest_copy
  - module: ansible.builtin.command
"""

EXAMPLES = r"""
- name: Look at the load of each guest of the inventory
  kvmmanager.libvirt.guest_command:
    argv: [uptime]
  changed_when: false

- name: Make a database, once
  kvmmanager.libvirt.guest_command:
    cmd: createdb shop && psql -q shop < /srv/shop.sql
    user: postgres
    creates: /srv/shop.done
    timeout: 600

- name: Give a command its input
  kvmmanager.libvirt.guest_command:
    argv: [chpasswd]
    stdin: "alice:{{ vault_password_of_alice }}"
  no_log: true

- name: Run it in a guest that the inventory does not know
  kvmmanager.libvirt.guest_command:
    uri: qemu+ssh://root@kvm1.example.com/system
    name: web1
    argv: [systemctl, reload, nginx]
  delegate_to: localhost
"""

RETURN = r"""
cmd:
  description: The command, O(argv) or O(cmd).
  returned: always
  type: raw
  sample: [uptime]
rc:
  description: The status that it ended with. Minus the number of the signal when one killed it.
  returned: when it ran, or did not need to
  type: int
  sample: 0
signal:
  description: The signal that killed it. V(null) when it ended by itself.
  returned: when it ran
  type: str
  sample: KILL
stdout:
  description: What it wrote, without the line ends at the end. What is no UTF-8 is replaced.
  returned: when it ran, or did not need to
  type: str
  sample: "10:12:33 up 3 days"
stdout_lines:
  description: The same as a list of lines.
  returned: when it ran, or did not need to
  type: list
  elements: str
  sample: ["10:12:33 up 3 days"]
stdout_truncated:
  description: Whether it wrote more than that.
  returned: when it ran
  type: bool
  sample: false
stderr:
  description: What it wrote to the error stream.
  returned: when it ran, or did not need to
  type: str
  sample: ""
stderr_lines:
  description: The same as a list of lines.
  returned: when it ran, or did not need to
  type: list
  elements: str
  sample: []
stderr_truncated:
  description: Whether it wrote more than that.
  returned: when it ran
  type: bool
  sample: false
start:
  description: When it began, on the clock of the controller.
  returned: when it ran
  type: str
  sample: "2026-11-23 10:12:33.100000"
end:
  description: When it ended.
  returned: when it ran
  type: str
  sample: "2026-11-23 10:12:33.200000"
delta:
  description: How long it took.
  returned: when it ran
  type: str
  sample: "0:00:00.100000"
msg:
  description: Why it was not run, or what was wrong.
  returned: when it did not run, or failed
  type: str
  sample: Did not run command since '/srv/shop.done' exists
"""
