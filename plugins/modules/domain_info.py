#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: domain_info
short_description: List virtual machines
version_added: 0.1.0
description:
  - Returns the virtual machines (domains) of a hypervisor, with their state, configuration, statistics and addresses.
  - It also tells where a running domain differs from its stored configuration.
  - Its calls are few and are made at the same time, so that over a slow link hundreds of domains take little longer
    than one.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.attributes
  - kvmmanager.libvirt.attributes.info
requirements:
  - jmespath, for O(query)
options:
  names:
    description:
      - Only domains with one of these names. An empty list selects none; leave the option out for all.
      - Shell patterns work, for example V(web*).
      - After a V(~), a regular expression that must match at the start of the name, for example V(~web[0-9]+$).
    type: list
    elements: str
  uuids:
    description:
      - Only domains with one of these UUIDs. Upper and lower case are the same, and the dashes may be left out.
      - An empty list selects none.
    type: list
    elements: str
  states:
    description: Only domains in one of these states. An empty list selects none.
    type: list
    elements: str
    choices: [running, paused, stopped, crashed, suspended]
  labels:
    description:
      - Only domains that have all of these labels.
      - The values are shell patterns. V(*) is any value.
    type: dict
  query:
    description:
      - Only domains for which this L(JMESPath,https://jmespath.org/) expression gives something that is neither false
        nor empty.
      - It can use everything that is returned of a domain, for example V(config.vcpus > `2`).
    type: str
  gather:
    description:
      - What to return of each domain besides its state and what identifies it.
      - V(config) and V(drift) take one more call for each running domain.
      - What is not named is not asked for.
    type: list
    elements: str
    choices: [config, statistics, addresses, drift]
    default: [config, statistics, addresses, drift]
  statistics:
    description: Which statistics to return. All come from one call for all domains.
    type: list
    elements: str
    choices: [cpu, balloon, vcpu, interface, block]
    default: [cpu, balloon, vcpu, interface, block]
  address_sources:
    description:
      - Where addresses are looked for, of running domains. All of these are asked.
      - A lease counts for an interface only when it is of the network that the interface is on.
      - V(lease) is the DHCP server of libvirt's networks.
      - V(agent) is the guest agent of domains where one is connected. libvirt tells its answer to users who may also
        change something, so it takes a second connection. Ours is asked where QEMU's is not there.
      - V(arp) is the ARP table of the hypervisor.
    type: list
    elements: str
    choices: [lease, agent, arp]
    default: [lease, agent]
  agent_timeout:
    description: How many seconds the guest agents have to answer. They are asked at the same time.
    type: float
    default: 3
notes:
  - O(call_timeout) is the time for all calls together.
  - What could not be read is warned about, for example an agent that does not answer. The rest is returned.
seealso:
  - module: kvmmanager.libvirt.domain
  - plugin: kvmmanager.libvirt.libvirt
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: List all domains
  kvmmanager.libvirt.domain_info:
  register: result

- name: Show their names and states
  ansible.builtin.debug:
    msg: "{{ item.name }} is {{ item.state }}"
  loop: "{{ result.domains }}"
  loop_control:
    label: "{{ item.name }}"

- name: Find production web servers that wait for a restart
  kvmmanager.libvirt.domain_info:
    names: [web*]
    labels:
      env: production
    gather: [drift]
    query: drift

- name: Ask for nothing but addresses
  kvmmanager.libvirt.domain_info:
    states: [running]
    gather: [addresses]
    address_sources: [lease, agent, arp]
"""

RETURN = r"""
domains:
  description: The domains, sorted by name.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: web1
    uuid:
      description: Its UUID.
      type: str
      returned: always
      sample: 6f1c9d2e-5b0a-4b9e-8a51-3d1f0b7c2a10
    id:
      description: The number that a running domain has. V(null) for others.
      type: int
      returned: always
      sample: 7
    state:
      description: One of O(states).
      type: str
      returned: always
      sample: running
    state_reason:
      description: Why it is in that state, by libvirt's word in lower case.
      type: str
      returned: always
      sample: booted
    persistent:
      description: Whether libvirt remembers it when it stops.
      type: bool
      returned: always
      sample: true
    autostart:
      description: Whether it starts when its host does.
      type: bool
      returned: always
      sample: false
    title:
      description: Its title. Like all texts in here that someone else wrote, it is cut off when it is very long.
      type: str
      returned: always
      sample: Web server
    description:
      description: Its description.
      type: str
      returned: always
      sample: Serves the shop.
    labels:
      description: Its labels.
      type: dict
      returned: always
      sample: {env: production}
    type:
      description: V(kvm) or V(qemu).
      type: str
      returned: always
      sample: kvm
    arch:
      description: Its architecture.
      type: str
      returned: always
      sample: x86_64
    machine:
      description: Its machine type.
      type: str
      returned: always
      sample: pc-q35-7.2
    memory:
      description: Its memory in bytes. Of a running domain what it has now.
      type: int
      returned: always
      sample: 2147483648
    max_memory:
      description: How much it can have without a restart, in bytes.
      type: int
      returned: always
      sample: 4294967296
    vcpus:
      description: The number of its virtual processors. Of a running domain what it has now.
      type: int
      returned: always
      sample: 2
    max_vcpus:
      description: How many it can have without a restart.
      type: int
      returned: always
      sample: 4
    interfaces:
      description: Its network interfaces, with what each is plugged into.
      type: list
      elements: dict
      returned: always
      sample: [{type: network, mac: "52:54:00:6b:3c:58", source: default, target: vnet3}]
    agent:
      description:
        - Which guest agent has opened its port. V(kvmmanager) is the one of this collection, which comes first when
          both have, V(qemu) that of QEMU, V(none) neither.
      type: str
      returned: always
      sample: kvmmanager
    agent_connected:
      description: Whether a guest agent has opened its port.
      type: bool
      returned: always
      sample: true
    config:
      description:
        - Its stored configuration, as the options of M(kvmmanager.libvirt.domain). What it runs with, when it is not
          persistent.
        - Sizes are in bytes. Lists of devices are dictionaries by what identifies each.
      type: dict
      returned: when O(gather) has V(config)
      sample: {memory: 2147483648, vcpus: 2, disks: {vda: {volume: {pool: default, volume: web1.qcow2}, bus: virtio}}}
    statistics:
      description:
        - What libvirt counts. Memory is in bytes, times are in nanoseconds.
        - V(cpu), V(balloon) and V(vcpu) are dictionaries, V(vcpus), V(interfaces) and V(disks) are lists.
      type: dict
      returned: when O(gather) has V(statistics)
      sample: {cpu: {time: 8610000000}, interfaces: [{name: vnet3, rx_bytes: 120394}]}
    addresses:
      description: The addresses of a running domain, in the order of O(address_sources).
      type: list
      elements: dict
      returned: when O(gather) has V(addresses)
      contains:
        address:
          description: The address.
          type: str
          returned: always
          sample: 192.168.122.45
        prefix:
          description: How many bits of it name the network. V(0) when the source does not know.
          type: int
          returned: always
          sample: 24
        family:
          description: V(ipv4) or V(ipv6).
          type: str
          returned: always
          sample: ipv4
        mac:
          description: The MAC address of the interface.
          type: str
          returned: always
          sample: "52:54:00:6b:3c:58"
        source:
          description: Which one of O(address_sources) told it.
          type: str
          returned: always
          sample: lease
        network:
          description: The network that leased it.
          type: str
          returned: when the source is V(lease)
          sample: default
        hostname:
          description: The host name that the guest told the DHCP server.
          type: str
          returned: when the source is V(lease) and the guest told one
          sample: web1
        interface:
          description: The interface in the guest, or that of the hypervisor when the source is V(arp).
          type: str
          returned: when the source is V(agent) or V(arp)
          sample: eth0
    drift:
      description: Where a running domain differs from its stored configuration. Empty for others.
      type: list
      elements: dict
      returned: when O(gather) has V(drift)
      contains:
        path:
          description:
            - The option of M(kvmmanager.libvirt.domain).
            - For what has no option it is the place in libvirt's XML, as C(xml.devices.watchdog.action).
          type: str
          returned: always
          sample: disks.vda.cache
        stored:
          description: Its value after the next start. V(null) where there is none. Asterisks stand for a secret.
          type: raw
          returned: always
          sample: none
        live:
          description: Its value now. V(null) where there is none.
          type: raw
          returned: always
          sample: writeback
"""

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.states import STATES
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.addresses import SOURCES
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.collect import collect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.statistics import GROUPS
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import run_info

_GATHER = ["config", "statistics", "addresses", "drift"]

ARGUMENTS = {
    "names": {"type": "list", "elements": "str"},
    "uuids": {"type": "list", "elements": "str"},
    "states": {"type": "list", "elements": "str", "choices": list(STATES)},
    "labels": {"type": "dict"},
    "query": {"type": "str"},
    "gather": {"type": "list", "elements": "str", "choices": _GATHER, "default": _GATHER},
    "statistics": {"type": "list", "elements": "str", "choices": list(GROUPS), "default": list(GROUPS)},
    "address_sources": {
        "type": "list",
        "elements": "str",
        "choices": list(SOURCES),
        "default": ["lease", "agent"],
    },
    "agent_timeout": {"type": "float", "default": 3},
}


def main() -> None:
    """Run the module."""
    run_info(ARGUMENTS, collect)


if __name__ == "__main__":
    main()
