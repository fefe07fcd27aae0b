#!/usr/bin/python

# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Describe a hypervisor
version_added: 0.1.0
description:
  - Returns the versions of libvirt and QEMU, the processors and the memory of a hypervisor, and what its virtual
    machines can have.
  - It tells whether KVM can be used and, if not, why.
author:
  - kvmmanager contributors (@kvmmanager)
extends_documentation_fragment:
  - kvmmanager.libvirt.connection
  - kvmmanager.libvirt.attributes
  - kvmmanager.libvirt.attributes.info
notes:
  - libvirt tells what virtual machines can have to users who may also change something. So the user of the connection
    needs that right. This module changes nothing.
  - Whether QEMU may open C(/dev/kvm) can be looked at only when O(uri) is the machine that the task runs on.
seealso:
  - module: kvmmanager.libvirt.domain
  - module: kvmmanager.libvirt.pool_info
  - module: kvmmanager.libvirt.network_info
"""

EXAMPLES = r"""
- name: Look at the hypervisor
  kvmmanager.libvirt.host_info:
  register: result

- name: Say why virtual machines are slow here
  ansible.builtin.debug:
    msg: "KVM cannot be used: {{ result.host.kvm.reason }}"
  when: not result.host.kvm.usable

- name: Stop when there is no Secure Boot
  ansible.builtin.assert:
    that: result.host.features.secure_boot
"""

RETURN = r"""
host:
  description: The hypervisor.
  returned: success
  type: dict
  sample:
    uri: qemu:///system
    hostname: kvm1
    libvirt_version: 9.0.0
    hypervisor: QEMU
    hypervisor_version: 7.2.22
    cpu:
      arch: x86_64
      model: EPYC-Rome
      vendor: AMD
      count: 64
      mhz: 2245
      numa_nodes: 1
      sockets_per_node: 1
      cores_per_socket: 32
      threads_per_core: 2
    memory:
      total: 270553174016
      free: 24137048064
      buffers: 1048576
      cached: 8589934592
    virtualization_types: [kvm, qemu]
    kvm:
      usable: true
      reason: null
    iommu: true
    features:
      machine: pc-q35-7.2
      max_vcpus: 288
      uefi: true
      secure_boot: true
      tpm: true
      tpm_versions: ['1.2', '2.0']
      external_snapshots: false
      backup: true
      cpu_modes: [custom, host-model, host-passthrough, maximum]
    pools:
      - name: images
        state: started
    networks:
      - name: lab
        state: started
  contains:
    uri:
      description: How it was reached.
      type: str
    hostname:
      description: Its host name.
      type: str
    libvirt_version:
      description: The version of its libvirt daemon.
      type: str
    hypervisor:
      description: What libvirt drives, such as V(QEMU).
      type: str
    hypervisor_version:
      description: The version of that.
      type: str
    cpu:
      description: Its processors.
      type: dict
      contains:
        arch:
          description: The architecture.
          type: str
        model:
          description: The model that libvirt takes them for. V(null) where it does not know.
          type: str
        vendor:
          description: The vendor. V(null) where libvirt does not know.
          type: str
        count:
          description: How many virtual machines can use at once, each thread counted.
          type: int
        mhz:
          description: Their speed in MHz.
          type: int
        numa_nodes:
          description: The number of NUMA nodes.
          type: int
        sockets_per_node:
          description: The number of sockets in each.
          type: int
        cores_per_socket:
          description: The number of cores in each.
          type: int
        threads_per_core:
          description: The number of threads in each.
          type: int
    memory:
      description: Its memory in bytes.
      type: dict
      contains:
        total:
          description: All of it.
          type: int
        free:
          description: What nothing uses.
          type: int
        buffers:
          description: What the kernel buffers, and gives back when it is needed.
          type: int
        cached:
          description: What the kernel caches, and gives back when it is needed.
          type: int
    virtualization_types:
      description: The types that a virtual machine can have, such as V(kvm) and V(qemu).
      type: list
      elements: str
    kvm:
      description: Whether virtual machines can run on the processor itself.
      type: dict
      contains:
        usable:
          description: Whether KVM can be used.
          type: bool
        reason:
          description: Why not. V(null) where it can.
          type: str
    iommu:
      description: Whether devices of the host can be given to virtual machines.
      type: bool
    features:
      description: What a new virtual machine of the architecture of the host can have.
      type: dict
      contains:
        machine:
          description: The machine type that this was asked for.
          type: str
        max_vcpus:
          description: The most virtual processors.
          type: int
        uefi:
          description: Whether libvirt finds UEFI firmware.
          type: bool
        secure_boot:
          description: Whether it finds one with Secure Boot.
          type: bool
        tpm:
          description: Whether a TPM can be emulated.
          type: bool
        tpm_versions:
          description: The versions of TPM that there are.
          type: list
          elements: str
        external_snapshots:
          description: Whether libvirt can revert to external snapshots and delete them. It can always make them.
          type: bool
        backup:
          description: Whether incremental backups are possible.
          type: bool
        cpu_modes:
          description: The modes of the virtual processor.
          type: list
          elements: str
    pools:
      description: Its storage pools.
      type: list
      elements: dict
      contains:
        name:
          description: The name.
          type: str
        state:
          description: V(started) or V(stopped).
          type: str
    networks:
      description: Its virtual networks.
      type: list
      elements: dict
      contains:
        name:
          description: The name.
          type: str
        state:
          description: V(started) or V(stopped).
          type: str
"""

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._host.info import collect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._task import run_info


def main() -> None:
    """Run the module."""
    run_info({}, collect)


if __name__ == "__main__":
    main()
