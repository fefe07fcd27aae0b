#!/usr/bin/python
# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: domain
short_description: Create, change, start, stop and remove virtual machines
version_added: 0.1.0
description:
  - Makes sure that a virtual machine, which libvirt calls a domain, has the hardware and the state that you want.
  - Only what you name is changed. What you leave out keeps the value that it has, whoever set it.
  - Of a change to a running domain, what libvirt can do at once is done at once. The rest is stored for the next start,
    and RV(restart_required) and RV(restart_reasons) say so.
  - No data is deleted unless you name it.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.attributes
  - kvmmanager.libvirt.domain_hardware
options:
  name:
    description:
      - The name of the domain.
      - To rename a stopped domain, give its O(uuid) and the new name.
      - With O(state=absent) and a O(uuid), the domain is only removed when it has this name.
    type: str
  uuid:
    description: The UUID of the domain. For a new domain libvirt chooses one, unless you do.
    type: str
  state:
    description:
      - V(present) makes sure that the domain exists, and leaves it running or stopped as it is.
      - V(running), V(stopped) and V(paused) also bring it into that state, and wait until it is.
      - V(absent) shuts the domain down and removes it. Its disks stay, except those in O(remove_disks).
    type: str
    choices: [present, running, stopped, paused, absent]
    default: present
  xml:
    description:
      - The domain as L(libvirt's XML,https://libvirt.org/formatdomain.html), for what has no option here.
      - It is laid over the XML that libvirt holds. What your XML says wins, what it does not mention stays.
      - Options given besides it win over it.
      - Of a change to a running domain, what has no option here waits for the next start.
      - The log does not show it. Results and diffs hide passwords and other secrets in it, and all of QEMU's own
        arguments.
    type: str
  autostart:
    description: Whether the domain starts when its host does.
    type: bool
  apply:
    description:
      - What a change is made to, when the domain runs.
      - V(auto) changes the running domain as far as libvirt can, and the stored configuration.
      - V(live) changes the running domain only, and fails when it cannot take the whole change or does not run.
      - V(config) changes the stored configuration only. RV(restart_reasons) then says what the running domain lacks.
    type: str
    choices: [auto, live, config]
    default: auto
  allow_restart:
    description:
      - Whether a running domain may be shut down and started again, when a change needs that.
      - A guest that was asleep or has crashed runs after it. To end one that has crashed needs O(force=true).
      - It needs O(apply=auto).
    type: bool
    default: false
  force:
    description:
      - Whether a guest that does not shut down within O(timeout) loses its power.
      - With O(state=absent) also whether snapshots, checkpoints and the saved memory of the domain may go with it.
        Without it such a domain is not even shut down.
      - Also whether a domain that has crashed may be ended.
      - When a saved domain is started with a changed configuration, also whether its saved memory may be discarded.
        It would go on with the old configuration otherwise.
      - A task that changes a saved domain without starting it warns that its next start goes on from the saved memory.
    type: bool
    default: false
  timeout:
    description:
      - For how many seconds the task waits in all, for a shutdown, for a device to go, or for O(wait_for).
      - With V(0) a guest is asked once to shut down, and not waited for.
      - A single call, a start for example, may always take O(call_timeout), too.
    type: float
    default: 120
  wait_for:
    description:
      - What the task waits for in the guest of a running domain. It needs a domain that runs at the end of the task.
      - V(address) is an address that the host's DHCP server or a guest agent tells, V(agent) is one of the guest
        agents, ours or QEMU's, and V(kvmmanager_agent) is ours.
      - Only addresses on the domain's own network interfaces count, by their MAC addresses, not those of bridges and
        tunnels that the guest makes. They come in the order of these interfaces. With a device of the host in the
        domain, which may be a network card, all count.
      - When the task starts the domain, a DHCP lease from before counts once the guest has renewed it. One that never
        ends cannot be told from a new one; wait for V(agent) too then.
      - V(cloud_init) is the end of cloud-init, which the guest tells over the port C(org.kvmmanager.cloud_init.0), as
        M(kvmmanager.libvirt.cloud_init_info) explains. An error of cloud-init fails the task.
    type: list
    elements: str
    choices: [address, agent, kvmmanager_agent, cloud_init]
    default: []
  remove_disks:
    description:
      - With O(state=absent), the disks whose volumes are deleted, by their targets, for example V(vda).
      - A volume that another domain uses, a CD-ROM image, and a backing image are never deleted.
    type: list
    elements: str
    default: []
  nvram:
    description:
      - With O(state=absent), whether to keep the UEFI variables of the domain.
      - They are kept unless you say otherwise.
      - Only the file that the domain has now is deleted, not those that it had before O(secure_boot) was changed.
      - V(delete) is refused while another domain has the same file, for example one that was renamed.
    type: str
    choices: [keep, delete]
  tpm_state:
    description:
      - With O(state=absent), whether to keep what the emulated TPM of the domain holds.
      - It is kept unless you say otherwise.
    type: str
    choices: [keep, delete]
seealso:
  - module: kvmmanager.libvirt.domain_info
  - module: kvmmanager.libvirt.volume
  - module: kvmmanager.libvirt.network
  - name: libvirt's domain XML
    description: What each part of a domain means.
    link: https://libvirt.org/formatdomain.html
"""

EXAMPLES = r"""
- name: A small machine with one disk, on the default network
  kvmmanager.libvirt.domain:
    name: web1
    memory: 2 GiB
    vcpus: 2
    disks:
      - volume: {pool: default, volume: web1.qcow2}
    interfaces:
      - network: default
    state: running

- name: The same on another host, with UEFI and a TPM, started together with its host
  kvmmanager.libvirt.domain:
    uri: qemu+ssh://root@kvm1.example.com/system
    name: vault
    firmware: uefi
    tpm: true
    memory: 4 GiB
    vcpus: 2
    disks:
      - path: /srv/images/vault.qcow2
        format: qcow2
    interfaces:
      - bridge: br0
    autostart: true

- name: More memory, with a restart where one is needed
  kvmmanager.libvirt.domain:
    name: web1
    memory: 4 GiB
    max_memory: 4 GiB
    allow_restart: true

- name: Shut down, and cut the power after a minute
  kvmmanager.libvirt.domain:
    name: web1
    state: stopped
    timeout: 60
    force: true

- name: Remove the machine and its disk
  kvmmanager.libvirt.domain:
    name: web1
    state: absent
    remove_disks: [vda]
    nvram: delete
"""

RETURN = r"""
domain:
  description: The domain after the task. V(null) when O(state=absent).
  returned: success
  type: dict
  sample:
    name: web1
    uuid: 6f1c9d2e-5b0a-4b9e-8a51-3d1f0b7c2a10
    state: running
    autostart: false
  contains:
    name:
      description: Its name.
      type: str
    uuid:
      description: Its UUID. In check mode V(null) for a domain that does not exist yet, unless you chose it.
      type: str
    state:
      description: One of V(running), V(paused), V(stopped), V(suspended) and V(crashed).
      type: str
    autostart:
      description: Whether it starts when its host does.
      type: bool
restart_required:
  description: Whether something of the stored configuration waits for the next start of the running domain.
  returned: success
  type: bool
  sample: true
restart_reasons:
  description: What waits for the next start, and why.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The option.
      type: str
      returned: always
      sample: disks.vda.cache
    reason:
      description: Why the running domain cannot take it on.
      type: str
      returned: always
      sample: libvirt cannot change the cache mode of a disk in use
addresses:
  description: The addresses of the guest.
  returned: when O(wait_for) names V(address)
  type: list
  elements: dict
  sample: [{address: 192.168.122.45, prefix: 24, mac: "52:54:00:6b:3c:58", source: lease}]
cloud_init:
  description: How cloud-init ended, as M(kvmmanager.libvirt.cloud_init_info) returns it.
  returned: when O(wait_for) names V(cloud_init)
  type: dict
  sample: {status: done, report: "status: done"}
"""

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.resource import Domain
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.secrets import secrets
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections import HARDWARE_ARGUMENTS
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import run_resource

ARGUMENTS = {
    "name": {"type": "str"},
    "uuid": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "running", "stopped", "paused", "absent"], "default": "present"},
    "xml": {"type": "str", "no_log": True},
    "autostart": {"type": "bool"},
    "apply": {"type": "str", "choices": ["auto", "live", "config"], "default": "auto"},
    "allow_restart": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "timeout": {"type": "float", "default": 120},
    "wait_for": {
        "type": "list",
        "elements": "str",
        "choices": ["address", "agent", "kvmmanager_agent", "cloud_init"],
        "default": [],
    },
    "remove_disks": {"type": "list", "elements": "str", "default": []},
    "nvram": {"type": "str", "choices": ["keep", "delete"]},
    "tpm_state": {"type": "str", "choices": ["keep", "delete"]},
    **HARDWARE_ARGUMENTS,
}


def main() -> None:
    """Run the module."""
    run_resource(ARGUMENTS, Domain, secrets=secrets, required_one_of=[("name", "uuid", "xml")])


if __name__ == "__main__":
    main()
