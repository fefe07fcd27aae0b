#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pool
short_description: Manage storage pools
version_added: 0.1.0
description:
  - A storage pool is a place on a hypervisor where libvirt keeps volumes, the disks of virtual machines.
    In the simplest case it is a directory.
  - Creates a pool, changes it, starts or stops it, and removes it.
  - What a task does not name stays as it is. Removing a pool keeps the data that it holds.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.attributes
options:
  name:
    description: The name of the pool.
    type: str
    required: true
  state:
    description:
      - V(started) makes sure that the pool exists and that its volumes can be used.
      - V(stopped) makes sure that it exists and that its volumes cannot be used. Running virtual machines keep theirs.
      - V(present) makes sure that it exists, and leaves it started or stopped. A new pool is then stopped.
      - V(absent) makes libvirt forget the pool. Its data stays, see O(delete_storage).
    type: str
    choices: [present, started, stopped, absent]
    default: started
  path:
    description:
      - The directory of the pool on the hypervisor, as an absolute path.
      - A new pool needs this or O(xml).
    type: str
  mode:
    description:
      - The permissions of the directory, as octal digits in quotes, such as V('0711').
      - libvirt gives them to the directory when the pool starts, so changing them needs a restart of the pool,
        see O(allow_restart). It needs O(build=true).
      - A directory that exists keeps its permissions when this is not given. A new one gets V('0711').
    type: raw
  owner:
    description: The numeric user that owns the directory. The same holds as for O(mode).
    type: int
  group:
    description: The numeric group that owns the directory. The same holds as for O(mode).
    type: int
  autostart:
    description:
      - Whether the pool starts together with the libvirt daemon.
      - A new pool does not, unless this is V(true).
    type: bool
  build:
    description:
      - Whether to create the directory, and give it its permissions, when the pool is started.
      - Say V(false) for a directory that something else provides, such as a mounted file system. While the
        directory does not exist, the task then fails, instead of filling the disk below.
      - An empty directory on which nothing is mounted is a directory too. Let O(path) be one within the file system,
        which is there only while that is mounted.
      - This is about pools of type C(dir) only. The device of another type is never formatted.
    type: bool
    default: true
  allow_restart:
    description:
      - Whether to stop and start a started pool where a change needs that.
      - Without it the change is stored and takes effect when the pool is next started. Until then each run lists
        it in RV(restart_reasons).
      - Running virtual machines keep their disks while a pool restarts.
    type: bool
    default: false
  delete_storage:
    description:
      - With O(state=absent), also delete the directory of the pool. This is for pools of the types C(dir), C(fs) and
        C(netfs); of the last two it is the mount point. For other types the task fails.
      - The task fails when the pool still holds volumes. It never deletes a volume.
    type: bool
    default: false
  uuid:
    description:
      - The uuid of a new pool. By default libvirt chooses one.
      - When the pool exists with another uuid, the task fails.
    type: str
  xml:
    description:
      - The pool as L(libvirt's XML,https://libvirt.org/formatstorage.html#storage-pool-xml), for pools of other types
        than a directory, and for what has no option here.
      - It is laid over what libvirt holds, so that what it does not mention stays.
      - The other options win over it.
    type: str
notes:
  - The type and the uuid of a pool cannot change. Choose another name, or remove the pool first.
seealso:
  - module: kvmmanager.libvirt.pool_info
  - module: kvmmanager.libvirt.volume
  - name: Storage pools in libvirt
    description: What types of pools there are, and what they need.
    link: https://libvirt.org/storage.html
"""

EXAMPLES = r"""
- name: Have a pool for disk images that is there after each boot
  kvmmanager.libvirt.pool:
    name: images
    path: /srv/images
    autostart: true

- name: Use a mounted file system, and fail while it is not mounted
  kvmmanager.libvirt.pool:
    name: fast
    path: /mnt/nvme/images
    build: false

- name: Have a pool on an NFS server
  kvmmanager.libvirt.pool:
    name: shared
    xml: |
      <pool type='netfs'>
        <source>
          <host name='nfs.example.com'/>
          <dir path='/export/images'/>
          <format type='nfs'/>
        </source>
        <target>
          <path>/mnt/images</path>
        </target>
      </pool>

- name: Forget a pool and keep its data
  kvmmanager.libvirt.pool:
    name: images
    state: absent
"""

RETURN = r"""
pool:
  description:
    - The pool. In check mode, what it would be, with V(null) for what only libvirt knows.
    - V(null) when O(state=absent).
  returned: success
  type: dict
  sample:
    name: images
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
restart_required:
  description: Whether a setting is stored that takes effect when the pool is next started.
  returned: success
  type: bool
  sample: true
restart_reasons:
  description: What waits for the next start, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - path: mode
      reason: A started pool keeps its settings until it is stopped and started again, which allow_restart allows.
  contains:
    path:
      description: The setting.
      type: str
    reason:
      description: Why it waits.
      type: str
"""

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.pool import Pool
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import run_resource

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "started", "stopped", "absent"], "default": "started"},
    "path": {"type": "str"},
    "mode": {"type": "raw"},
    "owner": {"type": "int"},
    "group": {"type": "int"},
    "autostart": {"type": "bool"},
    "build": {"type": "bool", "default": True},
    "allow_restart": {"type": "bool", "default": False},
    "delete_storage": {"type": "bool", "default": False},
    "uuid": {"type": "str"},
    "xml": {"type": "str"},
}


def main() -> None:
    run_resource(ARGUMENTS, Pool)


if __name__ == "__main__":
    main()
