#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: network_info
short_description: List virtual networks
version_added: 0.1.0
description:
  - Returns the networks of a hypervisor, with their state, their configuration, and where the two differ.
  - On request it also returns the addresses that each network gave out by DHCP.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.attributes
  - kvmmanager.libvirt.attributes.info
options:
  name:
    description: Only the network of this name. When there is none, the list is empty.
    type: str
  leases:
    description: Whether to return the DHCP leases of each network too.
    type: bool
    default: false
seealso:
  - module: kvmmanager.libvirt.network
  - module: kvmmanager.libvirt.domain_info
"""

EXAMPLES = r"""
- name: List all networks
  kvmmanager.libvirt.network_info:
  register: result

- name: Show which active networks wait for a restart
  ansible.builtin.debug:
    msg: "{{ result.networks | selectattr('drift') | map(attribute='name') }}"

- name: See which addresses a network gave out
  kvmmanager.libvirt.network_info:
    name: lab
    leases: true
"""

RETURN = r"""
networks:
  description:
    - The networks, sorted by name.
    - Besides what is described here, each has C(mode), C(bridge), C(mtu), C(stp), C(forward_dev), C(nat), C(domain),
      C(dns) and C(ips) as far as it has them, in the form of the options of M(kvmmanager.libvirt.network).
  returned: success
  type: list
  elements: dict
  sample:
    - name: lab
      uuid: 4e4f1ab4-9f4b-4f0e-8fc4-9d2f3c0b1d6e
      state: started
      persistent: true
      autostart: true
      mode: nat
      bridge: virbr1
      stp: true
      nat:
        ipv6: false
        port:
          start: 1024
          end: 65535
      domain:
        local_only: false
      dns:
        enable: true
        forward_plain_names: true
        forwarders: []
        hosts: []
        txt: []
        srv: []
      ips:
        - address: 192.168.77.1/24
          dhcp:
            ranges:
              - start: 192.168.77.100
                end: 192.168.77.199
            hosts: []
      mac: "52:54:00:9f:cd:c8"
      connections: 1
      drift: []
      leases:
        - mac: "52:54:00:12:34:56"
          ip: 192.168.77.100
          prefix: 24
          hostname: web1
          client_id: "01:52:54:00:12:34:56"
          expires: '2026-11-23T11:00:00Z'
  contains:
    name:
      description: Its name.
      type: str
    uuid:
      description: Its uuid.
      type: str
    state:
      description: V(started) or V(stopped).
      type: str
    persistent:
      description: Whether libvirt remembers the network when it is stopped.
      type: bool
    autostart:
      description: Whether it starts together with the libvirt daemon.
      type: bool
    mode:
      description: How it reaches the world outside, such as V(nat); libvirt's own word where ours has none.
      type: str
    mac:
      description: The MAC address of the bridge that libvirt makes.
      type: str
    connections:
      description: How many network cards of running domains are connected.
      type: int
    drift:
      description: Where the active network differs from its stored configuration.
      type: list
      elements: dict
      contains:
        path:
          description: The option.
          type: str
        stored:
          description: The value that the next start brings.
          type: raw
        live:
          description: The value of the active network.
          type: raw
    leases:
      description: The addresses that it gave out. Only with O(leases=true).
      type: list
      elements: dict
      contains:
        mac:
          description: The MAC address of the network card.
          type: str
        ip:
          description: The address.
          type: str
        prefix:
          description: The prefix length of the network.
          type: int
        hostname:
          description: The name that the virtual machine gives itself. Do not trust it. V(null) where there is none.
          type: str
        client_id:
          description: The client identifier or DUID. V(null) where there is none.
          type: str
        expires:
          description: When the lease ends, in UTC.
          type: str
"""

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.info import collect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import run_info

ARGUMENTS = {
    "name": {"type": "str"},
    "leases": {"type": "bool", "default": False},
}


def main() -> None:
    """Run the module."""
    run_info(ARGUMENTS, collect)


if __name__ == "__main__":
    main()
