#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: network
short_description: Manage virtual networks
version_added: 0.1.0
description:
  - A libvirt network connects the virtual machines of a hypervisor with each other, with their host, and with
    the world outside.
  - Creates a network, changes it, starts or stops it, and removes it.
  - What a task does not name stays as it is.
  - DHCP ranges and hosts, DNS records and the outgoing device of an active network change at once. The rest is
    stored, and RV(restart_required) says that it waits for the next start of the network. So does a DNS record that
    libvirt cannot tell from another one, such as a second TXT record with the same name.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.attributes
options:
  name:
    description: The name of the network. One of O(name), O(uuid) and O(xml) is needed.
    type: str
  uuid:
    description:
      - The uuid of the network. By default libvirt chooses one for a new network.
      - When the network exists with another uuid, the task fails.
    type: str
  state:
    description:
      - V(started) makes sure that the network exists and is active.
      - V(stopped) makes sure that it exists and is not active. Running virtual machines lose their connection.
      - V(present) makes sure that it exists, and leaves it started or stopped. A new network is then stopped.
      - V(absent) stops the network and makes libvirt forget it.
    type: str
    choices: [present, started, stopped, absent]
    default: started
  mode:
    description:
      - How the network reaches the world outside. A new network without a mode is V(isolated).
      - V(nat) hides the virtual machines behind the addresses of the host.
      - V(routed) forwards traffic without changing addresses (libvirt's mode C(route)). The rest of your network
        needs a route to it.
      - V(open) is like V(routed), but libvirt sets no firewall rules.
      - V(isolated) lets the virtual machines reach each other and the host only.
      - V(bridge) uses the O(bridge) that the host has, and leaves addresses, DHCP and DNS to the network behind it.
      - A change of the mode takes away what the new mode cannot have. For V(bridge) these are O(ips), O(dns),
        O(domain), O(mtu) and static routes; for a change from V(bridge), VLANs and virtual ports, those of portgroups
        as well.
    type: str
    choices: [nat, routed, open, isolated, bridge]
  bridge:
    description:
      - The name of the bridge on the host.
      - With O(mode=bridge), a bridge that exists. With any other mode libvirt makes it when the network starts, and
        by default chooses a name such as C(virbr1).
    type: str
  mtu:
    description: The largest frame in bytes, from V(68) to V(65535). By default V(1500). Not with O(mode=bridge).
    type: int
  stp:
    description: Whether the bridge takes part in the spanning tree protocol. libvirt's default is V(true).
    type: bool
  forward_dev:
    description:
      - The device of the host that traffic may leave by, with O(mode=nat) or O(mode=routed).
      - An empty text allows all of them.
    type: str
  nat:
    description: Details of O(mode=nat).
    type: dict
    suboptions:
      ipv6:
        description: Whether IPv6 addresses are hidden, too, instead of routed.
        type: bool
      address:
        description: The IPv4 addresses of the host to hide the virtual machines behind.
        type: dict
        suboptions:
          start:
            description: The first address.
            type: str
            required: true
          end:
            description: The last address.
            type: str
            required: true
      port:
        description: The ports to use for that. libvirt's default is V(1024) to V(65535).
        type: dict
        suboptions:
          start:
            description: The first port.
            type: int
            required: true
          end:
            description: The last port.
            type: int
            required: true
  domain:
    description: The DNS domain of the network.
    type: dict
    suboptions:
      name:
        description: Its name, such as V(lab.example.com). DHCP gives it to the virtual machines.
        type: str
      local_only:
        description:
          - Whether names in this domain are never asked for outside. libvirt's default is V(false).
          - V(true) needs a domain with a name.
        type: bool
  dns:
    description: The DNS server of the network. It runs on the host and answers on the addresses in O(ips).
    type: dict
    suboptions:
      enable:
        description:
          - Whether there is one. libvirt's default is V(true).
          - V(false) needs empty lists of forwarders and records.
        type: bool
      forward_plain_names:
        description: Whether names without a dot are asked for outside. libvirt's default is V(true).
        type: bool
      forwarders:
        description:
          - The servers to ask instead of those of the host.
          - Forwarders that you do not list stay, unless O(purge) has V(dns_forwarders).
        type: list
        elements: dict
        suboptions:
          address:
            description: The address of the server. Without it the names go to the servers of the host.
            type: str
          domain:
            description: Ask this server for names in this domain only.
            type: str
      hosts:
        description:
          - Names for addresses, known by the address.
          - Hosts that you do not list stay, unless O(purge) has V(dns_hosts).
        type: list
        elements: dict
        suboptions:
          ip:
            description: The address.
            type: str
            required: true
          names:
            description: All its names.
            type: list
            elements: str
            required: true
      txt:
        description:
          - TXT records, known by their name.
          - Records that you do not list stay, unless O(purge) has V(dns_txt).
        type: list
        elements: dict
        suboptions:
          name:
            description: The name, without spaces and commas.
            type: str
            required: true
          value:
            description: The text, which is not empty.
            type: str
            required: true
      srv:
        description:
          - SRV records, known by service, protocol, domain and target together.
          - Records that you do not list stay, unless O(purge) has V(dns_srv).
        type: list
        elements: dict
        suboptions:
          service:
            description: The service without its underscore, such as V(ldap).
            type: str
            required: true
          protocol:
            description: The protocol without its underscore, such as V(tcp).
            type: str
            required: true
          domain:
            description: The domain that has the service. By default that of the network.
            type: str
          target:
            description: The host that provides the service. Without it the record says that nobody does.
            type: str
          port:
            description: The port of the service on that host.
            type: int
          priority:
            description: Which target to try first; the lowest number wins.
            type: int
          weight:
            description: How often to choose this target among those of the same priority.
            type: int
  ips:
    description:
      - The addresses of the host in this network, each with what it serves there.
      - An address that is in the network of one that exists, changes that one. Addresses that you do not list stay,
        unless O(purge) has V(ips).
    type: list
    elements: dict
    suboptions:
      address:
        description: The address with its prefix length, such as V(192.168.77.1/24) or V(fd00:77::1/64).
        type: str
        required: true
      tftp_root:
        description: A directory of the host to serve over TFTP.
        type: str
      dhcp:
        description: The DHCP server of the network.
        type: dict
        suboptions:
          ranges:
            description:
              - The addresses to give out.
              - A range that overlaps one that exists, changes that one. Ranges that you do not list stay, unless
                O(purge) has V(dhcp_ranges).
            type: list
            elements: dict
            suboptions:
              start:
                description: The first address.
                type: str
                required: true
              end:
                description: The last address.
                type: str
                required: true
          hosts:
            description:
              - Virtual machines that always get the same address. A host is known by its MAC address or DUID, and where
                the task or libvirt has neither of them, by its address, else by its name.
              - Two hosts cannot have the same address or name. To give those of one machine to another, list the other
                one and have V(dhcp_hosts) in O(purge).
              - Hosts that you do not list stay, unless O(purge) has V(dhcp_hosts).
            type: list
            elements: dict
            suboptions:
              mac:
                description: The MAC address of its network card, for IPv4.
                type: str
              id:
                description: Its DUID, for IPv6.
                type: str
              name:
                description: Its host name.
                type: str
              ip:
                description: The address that it gets.
                type: str
                required: true
          bootp:
            description: What a virtual machine that boots over the network gets.
            type: dict
            suboptions:
              file:
                description: The boot file.
                type: str
                required: true
              server:
                description: The server that has it. By default the host itself, see O(ips[].tftp_root).
                type: str
  autostart:
    description:
      - Whether the network starts together with the libvirt daemon.
      - A new network does not, unless this is V(true).
    type: bool
  xml:
    description:
      - The network as L(libvirt's XML,https://libvirt.org/formatnetwork.html), for what has no option here.
      - It is laid over what libvirt holds. What your XML says wins, what it does not mention stays.
      - The other options win over it.
    type: str
  purge:
    description:
      - The lists that shall hold nothing but what this task lists. Whatever else they hold is removed.
      - The task has to give the list. An empty list removes all entries.
    type: list
    elements: str
    choices: [ips, dhcp_ranges, dhcp_hosts, dns_forwarders, dns_hosts, dns_txt, dns_srv]
    default: []
  apply:
    description:
      - What a change is made to, when the network is active.
      - V(auto) changes the active network as far as libvirt can, and the stored configuration.
      - V(live) changes the active network only, and fails when it cannot take the whole change.
      - V(config) changes the stored configuration only.
    type: str
    choices: [auto, live, config]
    default: auto
  allow_restart:
    description:
      - Whether to stop and start an active network where a change needs that.
      - Running virtual machines lose their connection, until their network card is plugged in again or they are
        stopped and started. The task warns when there are any.
    type: bool
    default: false
notes:
  - The name and the uuid of a network cannot change.
seealso:
  - module: kvmmanager.libvirt.network_info
  - module: kvmmanager.libvirt.domain
  - name: Networks in libvirt
    description: Every element of the XML.
    link: https://libvirt.org/formatnetwork.html
"""

EXAMPLES = r"""
- name: Have a network with DHCP, behind the addresses of the host
  kvmmanager.libvirt.network:
    name: lab
    mode: nat
    domain:
      name: lab.example.com
    ips:
      - address: 192.168.77.1/24
        dhcp:
          ranges:
            - start: 192.168.77.100
              end: 192.168.77.199
      - address: fd00:77::1/64
    autostart: true

- name: Give one virtual machine the same address each time, without disturbing the others
  kvmmanager.libvirt.network:
    name: lab
    ips:
      - address: 192.168.77.1/24
        dhcp:
          hosts:
            - mac: "52:54:00:12:34:56"
              name: web1
              ip: 192.168.77.10

- name: Answer for these names and for no others
  kvmmanager.libvirt.network:
    name: lab
    dns:
      hosts:
        - ip: 192.168.77.10
          names: [web1, www]
    purge: [dns_hosts]

- name: Put virtual machines on the network of the host
  kvmmanager.libvirt.network:
    name: office
    mode: bridge
    bridge: br0
    autostart: true

- name: Change what needs a restart, and restart
  kvmmanager.libvirt.network:
    name: lab
    mtu: 1400
    allow_restart: true

- name: Remove a network
  kvmmanager.libvirt.network:
    name: lab
    state: absent
"""

RETURN = r"""
network:
  description:
    - The network. In check mode, what it would be, with V(null) for what only libvirt knows.
    - Besides what is described here, it has O(mode), O(bridge), O(mtu), O(stp), O(forward_dev), O(nat), O(domain),
      O(dns) and O(ips) as far as the network has them, in the form of these options.
    - V(null) when O(state=absent).
  returned: success
  type: dict
  sample:
    name: lab
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
      name: lab.example.com
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
    connections: 0
    drift: []
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
      description:
        - One of O(mode), or libvirt's own word for a network that this module does not make, such as V(hostdev).
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
restart_required:
  description: Whether something that the task asks for waits for the next start of the active network.
  returned: success
  type: bool
  sample: true
restart_reasons:
  description: What waits for the next start, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - path: mtu
      reason: libvirt cannot change this while the network is active; allow_restart=true restarts the network.
  contains:
    path:
      description: The option.
      type: str
    reason:
      description: Why it waits.
      type: str
"""

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.options import ARGUMENTS
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.resource import Network
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import run_resource


def main() -> None:
    """Run the module."""
    run_resource(ARGUMENTS, Network, required_one_of=[("name", "uuid", "xml")])


if __name__ == "__main__":
    main()
