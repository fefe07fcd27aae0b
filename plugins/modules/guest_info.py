#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The task runs on the controller: the action plugin of the same name does all the work.

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_info
short_description: Ask a guest about itself
version_added: 0.1.0
description:
  - Returns what a virtual machine says of itself through the agent in its guest. It needs no network and no Python
    there.
  - The answers have the same shape whichever agent gives them. What qemu-guest-agent cannot tell, and what the policy
    of the guest does not allow, is V(null), with a warning.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.guest
  - kvmmanager.libvirt.attributes
  - kvmmanager.libvirt.attributes.info
options:
  gather:
    description:
      - What to ask about.
      - V(system) is its name, its operating system and how long it has been up. V(network) is its interfaces with their
        addresses. V(disks) is how full its file systems are.
      - V(metrics) is load, processors, memory, disks and interfaces, counted since it booted. V(processes) is what
        runs, and V(sessions) who is logged in. V(agent) is the agent itself, and what it may do.
    type: list
    elements: str
    choices: [system, network, disks, metrics, processes, sessions, agent]
    default: [system, network, disks, agent]
seealso:
  - module: kvmmanager.libvirt.domain_info
  - module: kvmmanager.libvirt.guest_command
"""

EXAMPLES = r"""
- name: Look into all guests
  kvmmanager.libvirt.guest_info:
  register: guest

- name: Name those that are short of disk
  ansible.builtin.debug:
    msg: "{{ item.mount }} is nearly full"
  loop: "{{ guest.disks.filesystems }}"
  when: item.size > 0 and item.available < item.size * 0.1

- name: Ask for the load alone
  kvmmanager.libvirt.guest_info:
    gather: [metrics]
  register: guest
"""

RETURN = r"""
agent_kind:
  description: Which agent answered, V(kvmmanager) or V(qemu).
  returned: success
  type: str
  sample: kvmmanager
system:
  description: Sizes are bytes and times are seconds, here and below.
  returned: when asked for
  type: dict
  sample:
    hostname: web1
    fqdn: web1.example.com
    os: {family: linux, id: debian, version: '13', name: Debian GNU/Linux 13 (trixie), kernel: 6.12.0, machine: x86_64}
    boot_id: 8e5a0b6b-7c0f-4b0e-9f7e-0a4b8f3d6f21
    machine_id: 59e7d872c14c400d9765c707e77576b1
    uptime: 259200.5
    time: 1795427553.1
    timezone: UTC
    utc_offset: 0
    cpus: 2
    memory: 2147483648
network:
  description: Its interfaces, gateways and name servers.
  returned: when asked for
  type: dict
  sample:
    interfaces:
      - name: ens3
        mac: '52:54:00:0a:0b:0c'
        mtu: 1500
        up: true
        state: up
        addresses:
          - {address: 192.0.2.10, family: ipv4, prefix: 24, scope: global}
    gateways:
      - {interface: ens3, address: 192.0.2.1}
    nameservers: [192.0.2.1]
disks:
  description: Its file systems.
  returned: when asked for
  type: dict
  sample:
    filesystems:
      - mount: /
        device: /dev/vda1
        type: ext4
        read_only: false
        size: 10737418240
        free: 8589934592
        available: 8053063680
        inodes: 655360
        inodes_free: 600000
metrics:
  description: Counters since it booted, C(boot_id) being another after each boot, and the moment they were read at.
  returned: when asked for
  type: dict
  sample:
    time: 1795427553.1
    uptime: 259200.5
    boot_id: 8e5a0b6b-7c0f-4b0e-9f7e-0a4b8f3d6f21
    load: [0.1, 0.2, 0.1]
    cpu: {user: 10.5, nice: 0.0, system: 4.2, idle: 5000.0, iowait: 1.0, irq: 0.0, softirq: 0.1, steal: 0.0}
    memory:
      total: 2147483648
      free: 1073741824
      available: 1610612736
      buffers: 1048576
      cached: 536870912
      swap_total: 0
      swap_free: 0
    disks:
      - {name: vda, reads: 1000, read_bytes: 40960000, writes: 500, written_bytes: 20480000}
    interfaces: []
processes:
  description: What runs.
  returned: when asked for
  type: dict
  sample:
    processes:
      - pid: 1
        parent: 0
        name: systemd
        state: S
        uid: 0
        threads: 1
        cpu: 3.5
        started: 0.1
        resident: 12582912
        command: /sbin/init
sessions:
  description: Who is logged in.
  returned: when asked for
  type: dict
  sample:
    sessions:
      - {user: alice, terminal: pts/0, from: 192.0.2.7, since: 1795420000}
agent:
  description: The agent, its version, the C(profile) of its policy, the C(methods) that it allows, and its C(limits).
  returned: when asked for
  type: dict
  sample:
    agent: 0.1.0
    profile: full
    methods: [ping, get_agent_info, exec]
"""
