#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: volume
short_description: Manage storage volumes
version_added: 0.1.0
description:
  - A volume is the disk of a virtual machine, an image or an ISO, in a storage pool of a hypervisor.
  - Creates a volume, empty, as an overlay, as a copy or from a file.
  - Grows it, also while a virtual machine runs with it. Saves it to a file. Deletes it.
  - Files are sent through the connection to the hypervisor, without their holes, and need next to no memory.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.attributes
attributes:
  check_mode:
    description: Can run in C(check_mode) and tell what would change without changing it.
    support: full
    details:
      - libvirt does not see a file that something else has put into the folder of a pool until it looks again.
        This module makes it look when it cannot find a volume, but not in check mode, which changes nothing.
        There, such a volume counts as absent.
      - In the same way, what C(qemu-img) or another hypervisor that shares the pool has laid over a volume is looked
        for before the volume is deleted, overwritten or made smaller, but not in check mode.
  idempotent:
    description: When run twice in a row with the same options, the second run changes nothing.
    support: partial
    details:
      - With O(overwrite=always) each run writes again.
options:
  pool:
    description: The name of the pool. It must be started.
    type: str
    required: true
  name:
    description: The name of the volume, in a pool of files the name of the file, such as V(web1.qcow2).
    type: str
    required: true
  state:
    description:
      - V(present) makes sure that the volume exists.
      - V(absent) deletes it and its data. The task fails when a virtual machine or another volume needs it,
        see O(force).
    type: str
    choices: [present, absent]
    default: present
  capacity:
    description:
      - How much a guest can store on it, such as V(20 GiB), V(512MiB) or a number of bytes.
      - A new volume needs it, unless it is made from something that has one already. Such a volume then grows to it.
      - An existing volume grows to it. When a virtual machine runs with the volume, its disk grows at once.
    type: str
  allow_shrink:
    description:
      - Whether a volume may become smaller. What is stored beyond the new capacity is lost.
      - Without it, the task fails when the volume is larger than O(capacity).
      - A volume never shrinks while a virtual machine runs with it, nor while another volume is laid over it.
    type: bool
    default: false
  format:
    description:
      - The format of a new volume. By default V(qcow2), or that of what it is made from. In a pool of devices, a
        volume group say, it is always V(raw).
      - With O(src), the format that the file must have. A V(raw) file without a partition table needs this.
      - The format of an existing volume cannot change.
    type: str
    choices: [qcow2, raw]
  preallocation:
    description:
      - How much of a new empty volume takes up space from the beginning.
      - V(off) is nothing, V(metadata) the tables of a qcow2 volume (and of no other format), V(full) all of it.
    type: str
    choices: ['off', metadata, full]
    default: 'off'
  backing:
    description:
      - Makes a new volume an overlay of another one, which it reads from and never changes. That takes no time and
        no space, whatever the size.
      - The backing of an existing volume cannot change. A new overlay is at least as large as what is below.
    type: dict
    suboptions:
      volume:
        description: The name of the volume below.
        type: str
      pool:
        description: The pool of O(backing.volume).
        type: str
      path:
        description: The path of the file below, on the hypervisor, where it is no volume.
        type: str
      format:
        description:
          - Its format. Needed with O(backing.path).
          - It must be the one that the file has, as far as libvirt knows it.
        type: str
  clone_from:
    description:
      - Makes a new volume a copy of another volume on the same hypervisor. What that is laid over is copied too.
      - The copy has no connection to its original, and can have another O(format).
    type: dict
    suboptions:
      volume:
        description: The name of the volume to copy.
        type: str
        required: true
      pool:
        description: The pool of O(clone_from.volume). By default O(pool).
        type: str
  src:
    description:
      - A file, or a block device, on the machine that the task runs on, which becomes the content of a new volume.
      - An existing volume keeps its content, see O(overwrite).
      - When anything goes wrong, no volume is left behind.
      - The task fails while the same volume is written from another machine, or through another hypervisor that shares
        the pool. It goes by the time of the last write, and takes an upload as dead after five minutes without any.
      - A file that names other files (a backing file, say) is refused, because it would let a guest read files of
        the hypervisor.
    type: path
  dest:
    description:
      - A file on the machine that the task runs on, as which the content of the volume is saved.
      - An existing file stays, see O(overwrite). The file is there when it is complete.
      - A link is followed. What is no file, such as a device, is refused.
      - Do this while no virtual machine runs with the volume, or the copy may be inconsistent.
    type: path
  mode:
    description:
      - The permissions of O(dest), as octal digits in quotes.
      - By default those that it has, and V('0600') for a new file.
    type: raw
  checksum:
    description:
      - What the content of O(src), or of O(dest), must have, such as V(sha256:) and 64 hexadecimal digits.
      - It is computed while the content passes. When it differs, the task fails and leaves no volume, or no file,
        behind. A volume that is to be overwritten is deleted only after a look at the checksum.
      - A file that stays as O(dest) is checked too, and so is O(src) when it is compared with the volume
        (O(overwrite=different)). What a volume that stays (O(overwrite=never)) holds is not looked at.
    type: str
  overwrite:
    description:
      - What happens to a volume that exists, with O(src), or to a file that exists, with O(dest).
      - V(never) leaves it as it is, without a look at its content.
      - V(different) reads both, and writes when they differ. Not with O(capacity), as a volume that has grown differs.
      - V(always) writes each time.
      - To overwrite a volume, its old file is deleted just before the new one is written, after a look whether there
        is space for that. Should the hypervisor fail in between, run the task again.
    type: str
    choices: [never, different, always]
    default: never
  force:
    description:
      - Whether to delete or overwrite a volume although a virtual machine has it as a disk, or another volume is laid
        over it. They then lose their data.
    type: bool
    default: false
  removed_domain:
    description:
      - With O(state=absent), the name of a virtual machine whose need of the volume does not count, because an earlier
        task removes it. In check mode it is still there. What else needs the volume counts, unlike with O(force).
    type: str
seealso:
  - module: kvmmanager.libvirt.volume_info
  - module: kvmmanager.libvirt.pool
  - module: kvmmanager.libvirt.cloud_image
  - name: Storage volumes in libvirt
    description: What a volume is, and what formats there are.
    link: https://libvirt.org/formatstorage.html#storage-volume-xml
"""

EXAMPLES = r"""
- name: Create an empty disk, or let it grow to this size
  kvmmanager.libvirt.volume:
    pool: images
    name: data.qcow2
    capacity: 20 GiB

- name: Upload an image
  kvmmanager.libvirt.volume:
    pool: images
    name: debian.qcow2
    src: /var/cache/images/debian.qcow2

- name: Give a virtual machine a disk that starts as that image, without a copy
  kvmmanager.libvirt.volume:
    pool: images
    name: web1.qcow2
    capacity: 40 GiB
    backing:
      pool: images
      volume: debian.qcow2

- name: Copy a disk
  kvmmanager.libvirt.volume:
    pool: images
    name: web1-copy.qcow2
    clone_from:
      volume: web1.qcow2

- name: Save a disk to a file
  kvmmanager.libvirt.volume:
    pool: images
    name: data.qcow2
    dest: /var/backups/data.qcow2
    overwrite: different

- name: Delete a disk
  kvmmanager.libvirt.volume:
    pool: images
    name: web1.qcow2
    state: absent

- name: Delete a virtual machine
  kvmmanager.libvirt.domain:
    name: web2
    state: absent

- name: Delete its disk, in check mode too
  kvmmanager.libvirt.volume:
    pool: images
    name: web2.qcow2
    state: absent
    removed_domain: web2
"""

RETURN = r"""
volume:
  description:
    - The volume. In check mode, what it would be, with V(null) for what only libvirt knows.
    - V(null) when O(state=absent).
  returned: success
  type: dict
  sample:
    name: web1.qcow2
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
"""

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume import Volume
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import run_resource

BACKING = {
    "volume": {"type": "str"},
    "pool": {"type": "str"},
    "path": {"type": "str"},
    "format": {"type": "str"},
}

CLONE_FROM = {
    "volume": {"type": "str", "required": True},
    "pool": {"type": "str"},
}

ARGUMENTS = {
    "pool": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "capacity": {"type": "str"},
    "allow_shrink": {"type": "bool", "default": False},
    "format": {"type": "str", "choices": ["qcow2", "raw"]},
    "preallocation": {"type": "str", "choices": ["off", "metadata", "full"], "default": "off"},
    "backing": {
        "type": "dict",
        "options": BACKING,
        "required_one_of": [("volume", "path")],
        "mutually_exclusive": [("volume", "path")],
        "required_together": [("volume", "pool")],
    },
    "clone_from": {"type": "dict", "options": CLONE_FROM},
    "src": {"type": "path"},
    "dest": {"type": "path"},
    "mode": {"type": "raw"},
    "checksum": {"type": "str"},
    "overwrite": {"type": "str", "choices": ["never", "different", "always"], "default": "never"},
    "force": {"type": "bool", "default": False},
    "removed_domain": {"type": "str"},
}


def main() -> None:
    run_resource(
        ARGUMENTS,
        Volume,
        mutually_exclusive=[("backing", "clone_from", "src", "dest")],
        required_by={"mode": ("dest",)},
    )


if __name__ == "__main__":
    main()
