#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_init_seed
short_description: Write the cloud-init seed of a virtual machine
version_added: 0.1.0
description:
  - A seed is a small CD image that tells cloud-init in a new virtual machine what to do at its first boot, such as
    making users and configuring the network. cloud-init calls this data source NoCloud.
  - Writes the seed into a file, or straight into a volume of a storage pool, where it can be attached as a CD-ROM.
  - The documents are checked before anything is written. An error names the place, and in a text the line.
  - The same documents always give the same bytes. A seed that already says the same is not written again.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.attributes
options:
  path:
    description:
      - The file to write, on the machine that the task runs on.
      - Then the task needs no libvirt.
    type: path
  pool:
    description: The storage pool in which O(volume) is the seed.
    type: str
  volume:
    description:
      - The name of the volume to write.
      - A changed seed is a new volume under the same name. A virtual machine that runs with the old one goes on
        reading that one until its CD-ROM is changed or it starts again.
      - The old volume is deleted just before the new one is written, after a look whether there is space for it.
        Should the hypervisor fail in between, run the task again.
    type: str
  state:
    description:
      - V(present) makes sure that the seed is there with these documents.
      - V(absent) removes it. Where there is no such pool, there is nothing to remove.
      - A file or a volume that is not a seed is never removed or overwritten, even when it is empty; the task fails.
        A volume that an interrupted task left without content counts as a seed.
    type: str
    choices: [present, absent]
    default: present
  user_data:
    description:
      - What cloud-init is to do, as a structure of cloud-config keys. C(#cloud-config) is put in front.
      - Or as a text, in any format that cloud-init knows by the first line, such as C(#cloud-config) or C(#!/bin/sh).
    type: raw
  meta_data:
    description:
      - Facts about the virtual machine, such as C(local-hostname), as a structure or as a YAML text.
    type: raw
  network_config:
    description:
      - The network configuration, version 2 (or 1), as a structure or as a YAML text.
      - Without it cloud-init uses DHCP on the first interface.
    type: raw
  vendor_data:
    description: Defaults that O(user_data) wins over, in the same formats.
    type: raw
  instance_id:
    description:
      - The instance-id. cloud-init does its work for a new instance again when this changes.
      - By default O(instance_id_policy) decides.
    type: str
  instance_id_policy:
    description:
      - V(keep) leaves the instance-id that a seed has. A new seed gets one that is made from its content.
      - V(content) makes it from the content, so that it changes when any document does, and only then.
      - Neither counts when O(instance_id) or C(instance-id) in O(meta_data) is given.
    type: str
    choices: [keep, content]
    default: keep
  schema:
    description:
      - V(auto) checks the documents against cloud-init's own schema, if the machine that the task runs on has
        cloud-init and the Python library jsonschema.
      - V(skip) does not. Choose it when the cloud-init of the virtual machine is newer and knows more.
    type: str
    choices: [auto, skip]
    default: auto
  mode:
    description:
      - The permissions of the file O(path), as octal digits in quotes.
      - A seed often holds passwords, so by default only its owner may read it. libvirt gives a system's virtual
        machine access to the file when it starts.
    type: raw
    default: '0600'
requirements:
  - pycdlib on the machine that the task runs on
  - PyYAML on the machine that the task runs on
notes:
  - A diff and a log show the documents with their secrets hidden. These are the values of keys such as C(passwd),
    C(hashed_passwd), C(password), C(token), C(registration_key) and C(rsa_private), private keys anywhere, also those
    of WireGuard, passwords in addresses and after C(password=), and the content of files in C(write_files) that only
    their owner may read.
  - Of a script or a template only the size is shown, because nobody can tell what is secret in it.
seealso:
  - module: kvmmanager.libvirt.cloud_image
  - module: kvmmanager.libvirt.domain
  - name: cloud-init
    description: What can stand in the documents.
    link: https://cloudinit.readthedocs.io/en/latest/reference/examples.html
"""

EXAMPLES = r"""
- name: Write a seed into a file
  kvmmanager.libvirt.cloud_init_seed:
    path: /var/lib/libvirt/images/web1-seed.iso
    user_data:
      users:
        - name: admin
          sudo: ALL=(ALL) NOPASSWD:ALL
          ssh_authorized_keys:
            - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFJkBW7PXLmNGtrGHUrGuNFCZYxVxYQqpoVRhLlhVUcx admin@example.com
      packages:
        - qemu-guest-agent
    meta_data:
      local-hostname: web1

- name: Write a seed into a volume of a hypervisor, with a fixed address
  kvmmanager.libvirt.cloud_init_seed:
    uri: qemu+ssh://root@hv1.example.com/system
    pool: default
    volume: web1-seed.iso
    user_data: "{{ lookup('ansible.builtin.file', 'web1.yml') }}"
    meta_data:
      local-hostname: web1
    network_config:
      version: 2
      ethernets:
        lan:
          match:
            macaddress: "52:54:00:12:34:56"
          addresses: [192.0.2.10/24]
          routes:
            - to: default
              via: 192.0.2.1
          nameservers:
            addresses: [192.0.2.1]

- name: Let cloud-init start over in the virtual machine whenever a document changes
  kvmmanager.libvirt.cloud_init_seed:
    pool: default
    volume: web1-seed.iso
    instance_id_policy: content
    user_data:
      runcmd:
        - [systemctl, enable, --now, nginx]

- name: Remove a seed
  kvmmanager.libvirt.cloud_init_seed:
    pool: default
    volume: web1-seed.iso
    state: absent
"""

RETURN = r"""
seed:
  description: The seed. V(null) when O(state=absent).
  returned: success
  type: dict
  sample:
    path: /var/lib/libvirt/images/web1-seed.iso
    pool: default
    volume: web1-seed.iso
    size: 131072
    sha256: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
    instance_id: iid-3b4c6a7f90e1d2c5
  contains:
    path:
      description:
        - Where it is. The path of a volume is one of the hypervisor.
        - V(null) in check mode for a volume that does not exist yet, because only libvirt knows.
      type: str
    pool:
      description: The storage pool. V(null) for a file.
      type: str
    volume:
      description: The volume. V(null) for a file.
      type: str
    size:
      description: Its size in bytes.
      type: int
    sha256:
      description: The SHA-256 of its bytes.
      type: str
    instance_id:
      description: The instance-id in it.
      type: str
"""

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.seed import Seed, secrets
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import run_resource

# The documents are hidden as a whole from the log; the runner then narrows this to their secrets.
ARGUMENTS = {
    "path": {"type": "path"},
    "pool": {"type": "str"},
    "volume": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "user_data": {"type": "raw", "no_log": True},
    "meta_data": {"type": "raw", "no_log": True},
    "network_config": {"type": "raw", "no_log": True},
    "vendor_data": {"type": "raw", "no_log": True},
    "instance_id": {"type": "str"},
    "instance_id_policy": {"type": "str", "choices": ["keep", "content"], "default": "keep"},
    "schema": {"type": "str", "choices": ["auto", "skip"], "default": "auto"},
    "mode": {"type": "raw", "default": "0600"},
}


def main() -> None:
    run_resource(
        ARGUMENTS,
        Seed,
        needs_hypervisor=lambda params: params["pool"] is not None,
        secrets=secrets,
        required_one_of=[("path", "pool")],
        mutually_exclusive=[("path", "pool")],
        required_together=[("pool", "volume")],
    )


if __name__ == "__main__":
    main()
