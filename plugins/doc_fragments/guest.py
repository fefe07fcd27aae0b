# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every guest module of this collection shares in its documentation."""

from __future__ import annotations


class ModuleDocFragment:
    """Which guest, and through which agent; the options of `GUEST_ARGUMENTS` in _guest_options.py."""

    DOCUMENTATION = r"""
options:
  name:
    description:
      - The domain of the guest, by its name or uuid.
      - When neither this nor O(uuid) is given, the host that the task runs for is the domain, or the one that it is
        delegated to (C(delegate_to)) unless that is C(localhost). Its variables say which, C(ansible_libvirt_domain)
        first, then C(libvirt_uuid) and C(libvirt_name), which the inventory plugin sets. Without these it is the name
        of the host in the inventory.
    type: str
  uuid:
    description: The domain of the guest, by its uuid.
    type: str
  agent:
    description:
      - Which agent of the guest to talk to.
      - V(kvmmanager) is the one of this collection, V(qemu) is qemu-guest-agent.
      - V(auto) takes the one of this collection when it is there, else qemu-guest-agent.
      - The variable C(ansible_libvirt_agent) of the host is the default where it is set.
    type: str
    choices: [auto, kvmmanager, qemu]
    default: auto
  wait:
    description:
      - How many seconds the domain may take to run, and its agent to be there, before the task fails.
      - By default an agent that is not there now is an error.
      - The variable C(ansible_libvirt_wait) of the host is the default where it is set.
    type: float
    default: 0
  agent_timeout:
    description:
      - How many seconds an agent that is there may take to answer for the first time, and other programs that work in
        the same guest to let go of it.
      - The variable C(ansible_libvirt_timeout) of the host is the default where it is set.
    type: float
    default: 30
notes:
  - The task runs on the controller, whatever the connection of the host is, and opens O(uri) from there. The guest
    needs no network, no login and no Python.
  - When the task does not name an option of the connection, the variable of the host with C(ansible_libvirt_) before
    that name does, such as C(ansible_libvirt_uri). For O(uri), C(libvirt_uri) of the inventory plugin comes after it.
  - O(uri) may also be the name of a hypervisor in the inventory. Its C(libvirt_uri) says where its daemon is. Without
    that, it is the machine itself for C(ansible_connection=local), and else reached over SSH as its C(ansible_host),
    C(ansible_user) and C(ansible_port) say.
  - What a guest says is never taken for a template.
seealso:
  - name: The guest agent
    description: What it is, and how to install it.
    link: https://github.com/kvmmanager/kvmmanager.libvirt/blob/main/docs/guide_guest_agent.md
"""
