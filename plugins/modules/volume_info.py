#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: volume_info
short_description: List storage volumes
version_added: 0.1.0
description:
  - Returns the volumes of one storage pool, or of all started pools, with their format, sizes and backing.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.attributes
  - kvmmanager.libvirt.attributes.info
options:
  pool:
    description: Only the volumes of the pool of this name. It must be started. By default those of all started pools.
    type: str
  name:
    description: Only volumes whose name matches this pattern, in which V(*) stands for anything, as in V(web*.qcow2).
    type: str
    default: '*'
notes:
  - libvirt does not see a file that something else has put into the folder of a pool until it looks again.
    This module only reads and does not make it look.
seealso:
  - module: kvmmanager.libvirt.volume
  - module: kvmmanager.libvirt.pool_info
"""

EXAMPLES = r"""
- name: List the volumes of all pools
  kvmmanager.libvirt.volume_info:
  register: result

- name: Find the overlays of an image
  ansible.builtin.debug:
    msg: >-
      {{ result.volumes | selectattr('backing_chain', 'contains', '/srv/images/debian.qcow2') | map(attribute='name') }}

- name: List the disks of one machine
  kvmmanager.libvirt.volume_info:
    pool: images
    name: web1*
"""

RETURN = r"""
volumes:
  description: The volumes, sorted by pool and name.
  returned: success
  type: list
  elements: dict
  sample:
    - name: web1.qcow2
      pool: images
      type: file
      path: /srv/images/web1.qcow2
      key: /srv/images/web1.qcow2
      format: qcow2
      capacity: 42949672960
      allocation: 200704
      physical: 196616
      backing:
        path: /srv/images/debian.qcow2
        format: qcow2
      backing_chain: [/srv/images/debian.qcow2]
  contains:
    name:
      description: Its name.
      type: str
    pool:
      description: The name of its pool.
      type: str
    type:
      description: What it is on the hypervisor, such as V(file) or V(block).
      type: str
    path:
      description: Where it is on the hypervisor.
      type: str
    key:
      description: What libvirt knows it by, among all volumes of the hypervisor.
      type: str
    format:
      description: The format of its content.
      type: str
    capacity:
      description: How much a guest can store on it, in bytes.
      type: int
    allocation:
      description: How much space it takes up now, in bytes.
      type: int
    physical:
      description: How long its file is, in bytes.
      type: int
    backing:
      description: What it is laid over. V(null) for a volume that stands alone.
      type: dict
      contains:
        path:
          description: Where that is on the hypervisor.
          type: str
        format:
          description: Its format.
          type: str
    backing_chain:
      description: The paths of all that it is laid over, nearest first, as far as they are volumes of a started pool.
      type: list
      elements: str
"""

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_info import collect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import run_info

ARGUMENTS = {
    "pool": {"type": "str"},
    "name": {"type": "str", "default": "*"},
}


def main() -> None:
    run_info(ARGUMENTS, collect)


if __name__ == "__main__":
    main()
