#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The task runs on the controller: the action plugin of the same name does all the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_agent
short_description: Call one method of the agent in a guest
version_added: 0.1.0
description:
  - Calls a method of the agent in a guest, and returns its answer as it is. This is for what has no module of its own.
  - The methods of the agent of this collection stand in its
    L(protocol,https://github.com/kvmmanager/kvmmanager.libvirt/blob/main/agent/PROTOCOL.md), those of qemu-guest-agent
    in L(its reference,https://www.qemu.org/docs/master/interop/qemu-ga-ref.html).
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.guest
  - kvmmanager.libvirt.attributes
attributes:
  check_mode:
    support: partial
    details: Methods that only read are called. Others are skipped, as nobody can tell what they would change.
  diff_mode:
    support: none
    details: Nobody knows what a method changes.
  idempotent:
    support: partial
    details: Methods that only read change nothing. Others count as a change each time; C(changed_when) says otherwise.
options:
  method:
    description: The method of the agent, or the command of qemu-guest-agent, such as V(guest-fsfreeze-status).
    type: str
    required: true
  params:
    description:
      - The parameters of the method, or the arguments of the command.
      - Passwords in it are shown in no result and no message.
    type: dict
    default: {}
  timeout:
    description: How many seconds the answer may take.
    type: float
    default: 60
notes:
  - Bulk data does not fit into an answer. For that there are M(kvmmanager.libvirt.guest_command),
    M(kvmmanager.libvirt.guest_copy) and M(kvmmanager.libvirt.guest_fetch).
seealso:
  - module: kvmmanager.libvirt.guest_info
"""

EXAMPLES = r"""
- name: Ask whether the agent is there
  kvmmanager.libvirt.guest_agent:
    method: ping

- name: Give somebody a way in over SSH
  kvmmanager.libvirt.guest_agent:
    method: ssh_keys_add
    params:
      user: alice
      keys: ["{{ lookup('ansible.builtin.file', 'alice.pub') }}"]

- name: Look whether file systems are frozen, through qemu-guest-agent
  kvmmanager.libvirt.guest_agent:
    agent: qemu
    method: guest-fsfreeze-status
  register: freeze
  failed_when: freeze.answer.return != 'thawed'
"""

RETURN = r"""
method:
  description: The method.
  returned: success
  type: str
  sample: ping
agent_kind:
  description: Which agent answered, V(kvmmanager) or V(qemu).
  returned: success
  type: str
  sample: kvmmanager
answer:
  description: The answer. One of qemu-guest-agent that is no dictionary stands in C(return).
  returned: success
  type: dict
  sample: {clock: 1234.5}
msg:
  description: Why it was not called.
  returned: in check mode, for a method that may change something
  type: str
  sample: Nobody can tell what ssh_keys_add would change.
"""
