#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pool_info
short_description: List storage pools
version_added: 0.1.0
description:
  - Returns the storage pools of a hypervisor, with their state, size and path.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.attributes
  - kvmmanager.libvirt.attributes.info
options:
  name:
    description: Only the pool of this name. When there is none, the list is empty.
    type: str
  volumes:
    description: Whether to return the names of the volumes of each pool too.
    type: bool
    default: false
seealso:
  - module: kvmmanager.libvirt.pool
  - module: kvmmanager.libvirt.volume_info
"""

EXAMPLES = r"""
- name: List all pools
  kvmmanager.libvirt.pool_info:
  register: result

- name: Show how much is free in each
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.available | human_readable }}"
  loop: "{{ result.pools }}"
  loop_control:
    label: "{{ item.name }}"

- name: See which volumes a pool holds
  kvmmanager.libvirt.pool_info:
    name: images
    volumes: true
"""

RETURN = r"""
pools:
  description: The pools, sorted by name.
  returned: success
  type: list
  elements: dict
  sample:
    - name: images
      uuid: 59e7d872-c14c-400d-9765-c707e77576b1
      state: started
      type: dir
      path: /srv/images
      mode: '0711'
      owner: 0
      group: 0
      autostart: true
      persistent: true
      capacity: 270553174016
      allocation: 24137048064
      available: 246416125952
      volumes: [debian.qcow2, web1.qcow2]
  contains:
    name:
      description: Its name.
      type: str
    uuid:
      description: Its uuid.
      type: str
    state:
      description: V(started) or V(stopped); rarely V(building), V(degraded) or V(inaccessible).
      type: str
    type:
      description: What it is made of, such as V(dir), V(fs), V(netfs) or V(logical).
      type: str
    path:
      description: Where its volumes are on the hypervisor. V(null) for types that have no such place.
      type: str
    mode:
      description: The permissions of the directory. V(null) while nobody knows, as for V(owner) and V(group).
      type: str
    owner:
      description: The numeric user that owns the directory.
      type: int
    group:
      description: The numeric group that owns the directory.
      type: int
    autostart:
      description: Whether it starts together with the libvirt daemon.
      type: bool
    persistent:
      description: Whether libvirt remembers the pool when it is stopped.
      type: bool
    capacity:
      description: How much it can hold, in bytes. For a directory, the size of its file system. V(0) while stopped.
      type: int
    allocation:
      description: How much of that is in use, in bytes, by whatever it may be.
      type: int
    available:
      description: How much is free, in bytes.
      type: int
    volumes:
      description: The names of its volumes, sorted; none while it is stopped. Only with O(volumes=true).
      type: list
      elements: str
"""

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.pool_info import collect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import run_info

ARGUMENTS = {
    "name": {"type": "str"},
    "volumes": {"type": "bool", "default": False},
}


def main() -> None:
    run_info(ARGUMENTS, collect)


if __name__ == "__main__":
    main()
