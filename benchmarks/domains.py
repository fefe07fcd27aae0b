# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Domains to measure with: defined, not running."""

from __future__ import annotations

import pathlib

import libvirt


def stopped_domain(number: int) -> str:
    """A domain as a plain virtual machine has it: a disk, an interface, the guest agent's channel, a screen."""
    name = f"bench-{number:04d}"
    return (
        f"<domain type='qemu'><name>{name}</name><memory unit='MiB'>512</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='q35'>hvm</type></os><devices>"
        f"<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/srv/{name}.qcow2'/>"
        "<target dev='vda' bus='virtio'/></disk>"
        "<interface type='network'><source network='default'/><model type='virtio'/></interface>"
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
        "<graphics type='vnc'/></devices></domain>"
    )


def define(uri: str, count: int) -> None:
    """Define that many."""
    connection = libvirt.open(uri)
    for number in range(count):
        connection.defineXML(stopped_domain(number))
    connection.close()


def test_driver(path: pathlib.Path, count: int) -> str:
    """Write a hypervisor of libvirt's test driver with that many domains; its URI."""
    domains = "".join(
        "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>"
        f"<name>bench-{number:04d}</name><memory unit='MiB'>512</memory><vcpu>1</vcpu><os><type>hvm</type></os>"
        "<test:runstate>5</test:runstate></domain>"
        for number in range(count)
    )
    path.write_text(f"<node>{domains}</node>", encoding="utf-8")
    return f"test://{path}"


def sources(folder: pathlib.Path, uri: str) -> dict[str, pathlib.Path]:
    """An inventory source of each contender for one hypervisor."""
    content = {
        "ours": f"plugin: kvmmanager.libvirt.libvirt\nconnections:\n  - uri: {uri}\n",
        "theirs": f"plugin: community.libvirt.libvirt\nuri: {uri}\n",
    }
    paths = {}
    for name, text in content.items():
        paths[name] = folder / f"{name}.{abs(hash(uri))}.libvirt.yml"
        paths[name].write_text(text, encoding="utf-8")
    return paths
