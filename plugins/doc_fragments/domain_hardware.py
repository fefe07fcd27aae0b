# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hardware of a domain, as the module domain documents it."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of `HARDWARE_ARGUMENTS` in _domain/sections, in the same order."""

    DOCUMENTATION = r"""
options:
  title:
    description: A short title of one line. An empty one removes it.
    type: str
  description:
    description: What the domain is for. An empty text removes it.
    type: str
  labels:
    description:
      - Names and values of your own, kept in the domain's metadata. The inventory plugin makes groups of them.
      - They are the whole of the labels, others are removed. An empty dictionary removes all.
    type: dict
  type:
    description:
      - How the domain is run. V(kvm) needs hardware support, V(qemu) is emulation and slow.
      - V(auto) chooses V(kvm) for a new domain where it works, else V(qemu), and leaves an existing domain as it is.
      - Whether V(kvm) works is looked up on the machine that the task runs on, when that is the hypervisor. Of a remote
        hypervisor libvirt's word is taken.
      - A new domain gets V(auto).
    type: str
    choices: [auto, kvm, qemu]
  arch:
    description: The architecture, for example V(x86_64). A new domain gets the host's.
    type: str
  machine:
    description:
      - The machine type, for example V(q35) or V(pc-q35-7.2).
      - A short name matches any version of it, so that a domain keeps the version it was made with.
      - A new domain gets V(q35) on x86 and V(virt) on ARM and RISC-V. A domain cannot change from one to another.
    type: str
  firmware:
    description:
      - What starts the guest.
      - A new domain gets V(bios), on ARM and RISC-V V(uefi).
    type: str
    choices: [bios, uefi]
  secure_boot:
    description:
      - Whether UEFI starts signed systems only. It needs O(firmware=uefi).
      - Changing it on an existing domain with UEFI gives it other UEFI variables at its next start, in a file beside
        the one that it had, which stays on the host.
      - A new domain with UEFI gets V(false), and so does one that changes from BIOS to UEFI.
    type: bool
  kernel:
    description: The path of a kernel on the hypervisor that is started without a boot loader. An empty text removes it.
    type: str
  initrd:
    description: The path of the initial RAM disk for O(kernel).
    type: str
  cmdline:
    description: The arguments for O(kernel).
    type: str
  memory:
    description:
      - How much memory the guest has, for example V(2 GiB). It is rounded up to whole MiB.
      - A running guest can get less, and more up to O(max_memory), by its balloon driver.
      - More than O(max_memory) raises that too, from the next start on. Less leaves O(max_memory) as it is.
      - A new domain gets V(1 GiB).
    type: str
  max_memory:
    description:
      - The most memory that the guest can get while it runs. It is no less than O(memory), so name both to lower it.
      - Where the domain's XML has NUMA cells, they make it up, and only they can change it.
      - A new domain gets its O(memory).
    type: str
  vcpus:
    description:
      - How many virtual CPUs the guest has.
      - A running guest can get more, up to O(max_vcpus). Fewer wait for its next start.
      - A new domain gets one, or all that its O(topology) makes.
    type: int
  max_vcpus:
    description:
      - The most virtual CPUs that the guest can get while it runs. It is no less than O(vcpus), so name both to lower
        it.
      - A new domain gets its O(vcpus).
    type: int
  topology:
    description:
      - How the virtual CPUs are arranged. The product is O(max_vcpus), and sets that where you do not name it. A domain
        that has all of its virtual CPUs then has all of these.
      - Of a new topology, what you leave out is 1.
    type: dict
    suboptions:
      sockets:
        description: The number of sockets.
        type: int
      cores:
        description: The cores of each socket.
        type: int
      threads:
        description: The threads of each core.
        type: int
  cpu:
    description: The CPU that the guest sees.
    type: dict
    suboptions:
      mode:
        description:
          - V(host-model) is like the host's CPU and can migrate to similar hosts, V(host-passthrough) is exactly the
            host's,
            V(maximum) is all that can be offered, V(custom) is the O(cpu.model) that you name.
          - A new domain gets V(host-model) with KVM on x86, V(host-passthrough) with KVM elsewhere, V(maximum)
            without KVM.
        type: str
        choices: [host-passthrough, host-model, maximum, custom]
      model:
        description: A model of libvirt's, for example V(Skylake-Server).
        type: str
      features:
        description:
          - CPU features and what is to be done with each, V(require), V(disable), V(force), V(optional) or V(forbid).
          - V(true) means V(require), V(false) means V(disable). Features that you do not list stay, with
            another model too, but not with another mode.
        type: dict
  disks:
    description:
      - The disks, each known by its O(disks[].target). One without it is known by its image, and one with an image that
        no disk has takes the next disk of its bus in the list's order, so name the target to give a disk another image.
      - Disks that you do not list stay, unless O(purge) says otherwise.
      - A domain without disks gets none.
      - Disks on V(virtio), V(scsi) and V(usb) can be added to a running domain and taken away. Other changes of a
        disk wait for the next start.
    type: list
    elements: dict
    suboptions:
      volume:
        description: The volume of a storage pool that holds the disk.
        type: dict
        suboptions:
          pool:
            description: The pool.
            type: str
            required: true
          volume:
            description: The volume.
            type: str
            required: true
      path:
        description: The file or block device on the hypervisor that holds the disk, instead of a volume.
        type: str
      target:
        description:
          - The name by which the disk is known here, for example V(vda). The guest may call it otherwise.
          - Without one, the first disk of a bus in your list is the first one of that bus in the domain, and so on.
            New ones
            get the next free name.
        type: str
      bus:
        description:
          - How the disk is connected. A new one gets V(virtio).
          - To put a disk on another bus, name its O(disks[].target) too.
        type: str
        choices: [virtio, scsi, sata, usb, ide]
      format:
        description:
          - How the image is written, for example V(qcow2) or V(raw).
          - By default what its pool says. For a file in no pool you must name it.
        type: str
      cache:
        description: How the host caches the disk. By default, and with V(default), libvirt's choice.
        type: str
        choices: [default, none, writethrough, writeback, directsync, unsafe]
      io:
        description: How QEMU reads and writes. By default libvirt's choice.
        type: str
        choices: [native, threads, io_uring]
      discard:
        description: Whether blocks that the guest frees are freed on the host, V(unmap), or not, V(ignore).
        type: str
        choices: [unmap, ignore]
      serial:
        description: The serial number that the guest sees. An empty one removes it.
        type: str
      readonly:
        description: Whether the guest can only read.
        type: bool
      shareable:
        description:
          - Whether several domains may use the disk at the same time.
          - Two disks of one domain may have the same image only when both have this or O(disks[].readonly).
        type: bool
      boot_order:
        description: The place of the disk in the boot order, from 1. It excludes O(boot).
        type: int
  cdroms:
    description:
      - The CD-ROM drives, each known by its O(cdroms[].target). One without it is known by its medium, else by its
        place in the list. Drives that you do not list stay.
      - The medium can be exchanged while the domain runs.
    type: list
    elements: dict
    suboptions:
      volume:
        description: The volume of a storage pool that is the medium.
        type: dict
        suboptions:
          pool:
            description: The pool.
            type: str
            required: true
          volume:
            description: The volume.
            type: str
            required: true
      path:
        description: The image on the hypervisor that is the medium, instead of a volume. An empty text ejects the
          medium.
        type: str
      target:
        description:
          - The name by which the drive is known here, for example V(sda).
          - Without one, the first drive in your list is the first one in the domain, and so on. New ones get the next
            free name.
        type: str
      bus:
        description:
          - How the drive is connected. A new one gets V(scsi), on a virtio controller.
          - The kernels of many cloud images have no driver for V(sata).
        type: str
        choices: [scsi, sata, usb, ide]
      boot_order:
        description: The place of the drive in the boot order, from 1. It excludes O(boot).
        type: int
  interfaces:
    description:
      - The network interfaces, each known by its O(interfaces[].mac). One without it is known by what it is plugged
        into, else by its place in the list, so name the MAC to move a certain interface to another network.
      - Interfaces that you do not list stay.
      - They can be added to a running domain and taken away, their cable can be plugged, unplugged and moved to
        another network.
    type: list
    elements: dict
    suboptions:
      network:
        description: The libvirt network that the interface is on.
        type: str
      bridge:
        description: The bridge of the hypervisor that the interface is on.
        type: str
      user:
        description: Whether QEMU itself connects the guest, without any right on the host. Nobody can reach the
          guest then. V(false) is no place to be plugged into; name O(interfaces[].network) or
          O(interfaces[].bridge) instead.
        type: bool
      mac:
        description: The MAC address, best in quotes. A new interface without one gets a free one, and keeps it.
        type: str
      model:
        description: The model, for example V(virtio) or V(e1000e). A new interface gets V(virtio).
        type: str
      link:
        description: Whether the cable is plugged in.
        type: str
        choices: [up, down]
      boot_order:
        description: The place of the interface in the boot order, from 1. It excludes O(boot).
        type: int
  graphics:
    description: Screens that people can look at, at most one of each type. Those that you do not list stay. A new
      domain gets none.
    type: list
    elements: dict
    suboptions:
      type:
        description: The protocol.
        type: str
        choices: [vnc, spice]
        required: true
      listen:
        description: The address of the hypervisor that is listened on. A new one gets V(127.0.0.1).
        type: str
      port:
        description: The port, with VNC from V(5900) on. With V(-1), which a new one gets, libvirt chooses one at each
          start.
        type: int
      password:
        description:
          - The password. With VNC it has at most eight characters.
          - It can be changed while the domain runs. An empty one removes it.
          - The first one, and none any more, wait for the next start.
        type: str
  video:
    description: The model of the graphics card. By default libvirt's choice, and none without O(graphics).
    type: str
    choices: [virtio, vga, qxl, cirrus, bochs, vmvga, ramfb, none]
  serials:
    description:
      - The serial ports, by their order. Further ones stay, unless O(purge) says otherwise. The first one is the
        guest's console.
      - A new domain gets one of type V(pty).
    type: list
    elements: dict
    suboptions: &character
      type:
        description: Where the bytes go, a terminal for C(virsh console), a file, a UNIX socket, or nowhere.
        type: str
        choices: [pty, file, unix, "null"]
      path:
        description: The file or the socket on the hypervisor, for these types.
        type: str
      log:
        description: A file on the hypervisor that also gets what the guest writes. An empty text removes it.
        type: str
  consoles:
    description: The virtio consoles, by their order, besides the console on the first serial port. Further ones stay.
    type: list
    elements: dict
    suboptions: *character
  channels:
    description:
      - Channels between hypervisor and guest. Those that you do not list stay.
      - A new domain gets V(org.qemu.guest_agent.0) for QEMU's guest agent and V(org.kvmmanager.agent.0) for that of
        this
        project.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name that the guest finds it under.
        type: str
        required: true
      type:
        description: A UNIX socket on the hypervisor, or the agent of SPICE. A new one gets V(unix).
        type: str
        choices: [unix, spicevmc]
  rng:
    description:
      - Whether the guest has a virtio random number generator. A new domain has.
      - It can be added to a running domain and taken away.
    type: bool
  tpm:
    description:
      - Whether the guest has an emulated TPM 2.0.
      - What the guest has sealed with it cannot be read without it.
    type: bool
  boot:
    description:
      - The kinds of devices that are tried, in this order.
      - It excludes C(boot_order) of single devices; naming one takes the other away.
      - A running domain takes on another order at its next start.
      - A new domain gets V(hd). An empty list means the same, unless single devices have an order.
    type: list
    elements: str
    choices: [hd, cdrom, network, fd]
  purge:
    description:
      - The lists of devices that are complete. What is not in such a list is removed from the domain; its data stays.
      - Name the list itself too. An empty one removes all devices of its kind.
    type: list
    elements: str
    choices: [disks, cdroms, interfaces, graphics, serials, consoles, channels]
"""
