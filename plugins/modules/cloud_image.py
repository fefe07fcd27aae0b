#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloud_image
short_description: Bring a cloud image to a hypervisor
version_added: 0.1.0
description:
  - A cloud image is a disk with an installed operating system that configures itself at its first boot.
    Virtual machines are made from it in seconds.
  - Takes an image by its name from a catalogue, from an address of your own, or from a file.
  - Downloads it once into a cache on the machine that the task runs on, and checks it against the checksum that its
    publisher gives.
  - Then uploads it into a storage pool, of this machine or of any other host that O(uri) reaches.
  - An image in a pool never changes, because the disks of virtual machines may be laid over it. A newer build becomes
    a volume of its own.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.attributes
options:
  name:
    description:
      - The name of an image in the catalogue.
      - There are V(debian-12), V(debian-13), V(ubuntu-22.04), V(ubuntu-24.04), V(fedora-43), V(fedora-44),
        V(centos-stream-9), V(centos-stream-10), V(almalinux-9), V(almalinux-10), V(rocky-9), V(rocky-10),
        V(opensuse-leap-15.6) and V(opensuse-leap-16.0). Code names such as V(bookworm) and V(noble) work too.
      - CentOS Stream 10, AlmaLinux 10 and Rocky Linux 10 need a CPU of the level x86-64-v3.
    type: str
  url:
    description:
      - The address of an image, with C(http), C(https) or C(file). It needs O(checksum), unless it is a file.
    type: str
  path:
    description:
      - The file of an image, on the machine that the task runs on. It is used where it is.
    type: path
  arch:
    description: The architecture of the image O(name).
    type: str
    choices: [x86_64, aarch64]
    default: x86_64
  state:
    description:
      - V(present) makes sure that the image is in the cache and, with O(pool), in that pool. An image that is already
        in the pool is not downloaded again. In check mode libvirt cannot look for a file that something else has put
        there.
      - V(absent) with O(pool) and O(volume) deletes that volume. The task fails when a virtual machine has it as a
        disk, or a volume of any started pool is laid over it. The cache stays as it is.
      - V(absent) without O(pool) deletes the image from the cache, and what an interrupted download left there.
    type: str
    choices: [present, absent]
    default: present
  pool:
    description:
      - The storage pool to upload the image into. Without it the image is only downloaded.
      - Let one host at a time upload an image into a pool that several hypervisors share, such as one over NFS.
        While one of them writes it, the task of another fails and says so. After five minutes without a write an
        upload counts as dead, and is done again.
    type: str
  volume:
    description:
      - The name of the volume in O(pool).
      - By default it is made from the name of the image and the first digits of its checksum. Then each build of the
        image has a volume of its own.
      - When you choose a name, a volume that exists under it counts as the image, whatever build it is.
    type: str
  format:
    description:
      - The format that the image must have.
      - By default what the catalogue says, or what the image is.
    type: str
    choices: [qcow2, raw]
  checksum:
    description:
      - The checksum of the image, as C(sha256:) or C(sha512:) and its hexadecimal digits.
      - Or the address of the publisher's checksum file, such as C(SHA256SUMS), with C(http) or C(https).
      - Or V(none), to use an image from O(url), or from a catalogue entry without C(checksum_url), that nobody vouches
        for.
      - By default an image from the catalogue is checked against the checksum file of its publisher.
    type: str
  refresh:
    description:
      - V(missing) takes the image that is in the cache, without asking the network.
      - V(newer) asks the publisher each time whether there is a newer build, and downloads that.
      - Where the server gives neither an ETag nor a date, and there is no checksum, only a download can tell. The task
        then downloads each time, and reports a change when the content is another one. Check mode reports one always.
    type: str
    choices: [missing, newer]
    default: missing
  verify_signature:
    description:
      - Whether to verify the signature of the publisher's checksum file as well. It needs O(keyring).
      - Ubuntu, Fedora, AlmaLinux and openSUSE sign the checksums of their cloud images. The others do not, and then
        the task fails.
    type: bool
    default: false
  keyring:
    description:
      - A file with the public keys of the publisher, for O(verify_signature). Both binary and ASCII-armoured keys work.
      - An image from the catalogue must be signed by the key that its entry names.
    type: path
  signature_url:
    description:
      - The address of the signature of the checksum file of O(url).
      - Give the address of the checksum file itself when that is signed inside.
    type: str
  catalogue:
    description:
      - A file with images of your own, as YAML or JSON, on the machine that the task runs on. See the examples.
      - They win over those of this collection that have the same name.
    type: path
  cache_dir:
    description:
      - The folder for downloaded images.
      - By default C(kvmmanager/images) in E(XDG_CACHE_HOME), or in C(~/.cache).
    type: path
  timeout:
    description:
      - After how many seconds without any data a download counts as broken.
      - It then goes on where it stopped. When that brings nothing new twice, the task fails, and the next run goes on.
    type: float
    default: 30
requirements:
  - PyYAML on the machine that the task runs on, for O(catalogue)
  - gpgv on the machine that the task runs on, for O(verify_signature)
notes:
  - An image that names other files, such as a backing file, is refused, because a virtual machine could read files of
    its host through it.
  - An upload that was interrupted leaves a volume whose name ends in C(.uploading) beside the image. The next run
    recognises it and uploads again.
seealso:
  - module: kvmmanager.libvirt.cloud_init_seed
  - module: kvmmanager.libvirt.volume
  - module: kvmmanager.libvirt.pool
"""

EXAMPLES = r"""
- name: Have Debian 12 in a pool, to make disks from
  kvmmanager.libvirt.cloud_image:
    name: debian-12
    pool: default
  register: debian

- name: Make a disk from it
  kvmmanager.libvirt.volume:
    pool: default
    name: web1.qcow2
    capacity: 20 GiB
    backing:
      pool: default
      volume: "{{ debian.image.volume }}"

- name: Have the newest build of Ubuntu on another host, with its signature verified
  kvmmanager.libvirt.cloud_image:
    uri: qemu+ssh://root@hv1.example.com/system
    name: ubuntu-24.04
    pool: images
    refresh: newer
    verify_signature: true
    keyring: /usr/share/keyrings/ubuntu-cloudimage-keyring.gpg

- name: Use an image of your own, under a name of your own
  kvmmanager.libvirt.cloud_image:
    url: https://images.example.com/appliance-7.qcow2
    checksum: https://images.example.com/SHA256SUMS
    pool: default
    volume: appliance-7.qcow2

- name: Write down images of your own
  ansible.builtin.copy:
    dest: /etc/kvmmanager-images.yml
    mode: '0644'
    content: |
      appliance:
        description: Our appliance
        url: https://images.example.com/appliance-{arch}.qcow2
        checksum_url: https://images.example.com/SHA256SUMS
        format: qcow2
        user: admin
        firmware: [uefi]
        aliases: [appliance-7]

- name: Use one of them
  kvmmanager.libvirt.cloud_image:
    name: appliance
    catalogue: /etc/kvmmanager-images.yml
    pool: default

- name: Only download, for later
  kvmmanager.libvirt.cloud_image:
    name: rocky-9
    cache_dir: /srv/cache

- name: Remove an image that is no longer needed
  kvmmanager.libvirt.cloud_image:
    pool: default
    volume: appliance-7.qcow2
    state: absent
"""

RETURN = r"""
image:
  description: The image. V(null) when O(state=absent).
  returned: success
  type: dict
  sample:
    name: rocky-9
    source: https://dl.rockylinux.org/pub/rocky/9/images/x86_64/Rocky-9-GenericCloud-Base.latest.x86_64.qcow2
    path: /root/.cache/kvmmanager/images/rocky-9-5e5b7e2a8d1c.qcow2
    checksum: sha256:3b4c6a7f90e1d2c55f70bf18a086007016e948b04aed3b82103a36bea41755b6
    format: qcow2
    capacity: 10737418240
    user: rocky
    firmware: [bios, uefi]
    pool: default
    volume: rocky-9-3b4c6a7f90e1.qcow2
    volume_path: /var/lib/libvirt/images/rocky-9-3b4c6a7f90e1.qcow2
  contains:
    name:
      description: A short name, from the catalogue or from the file's name.
      type: str
    source:
      description: Where it comes from, an address or a path. A password in an address is hidden.
      type: str
    path:
      description:
        - Its file on the machine that the task ran on.
        - V(null) when it is not there, because the pool has it already or because of check mode.
      type: str
    checksum:
      description: The checksum by which it was recognised. V(null) when nobody needed it.
      type: str
    format:
      description: V(qcow2) or V(raw). V(null) when it is not known yet.
      type: str
    capacity:
      description: The size of the disk in bytes. V(null) when it is not known yet.
      type: int
    user:
      description: The user that cloud-init makes by default. V(null) for an image that is not from a catalogue.
      type: str
    firmware:
      description: What it boots with, V(bios) and V(uefi). Empty for an image that is not from a catalogue.
      type: list
      elements: str
    pool:
      description: The storage pool. V(null) without O(pool).
      type: str
    volume:
      description: The volume. V(null) without O(pool).
      type: str
    volume_path:
      description: The path of the volume on the hypervisor. V(null) for a volume that does not exist yet.
      type: str
"""

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.cloud_image import cloud_image
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.source import secrets
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import run_resource

ARGUMENTS = {
    "name": {"type": "str"},
    "url": {"type": "str"},
    "path": {"type": "path"},
    "arch": {"type": "str", "choices": ["x86_64", "aarch64"], "default": "x86_64"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "pool": {"type": "str"},
    "volume": {"type": "str"},
    "format": {"type": "str", "choices": ["qcow2", "raw"]},
    "checksum": {"type": "str"},
    "refresh": {"type": "str", "choices": ["missing", "newer"], "default": "missing"},
    "verify_signature": {"type": "bool", "default": False},
    "keyring": {"type": "path", "no_log": False},
    "signature_url": {"type": "str"},
    "catalogue": {"type": "path"},
    "cache_dir": {"type": "path"},
    "timeout": {"type": "float", "default": 30},
}


def main() -> None:
    run_resource(
        ARGUMENTS,
        cloud_image,
        needs_hypervisor=lambda params: params["pool"] is not None,
        secrets=secrets,
        mutually_exclusive=[("name", "url", "path")],
        required_one_of=[("name", "url", "path", "volume")],
        required_if=[
            ("state", "present", ("name", "url", "path"), True),
            ("verify_signature", True, ("keyring",)),
        ],
        required_by={"volume": "pool"},
    )


if __name__ == "__main__":
    main()
