# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A guest to measure in: both agents, no network, and a port of its own for what is measured without an agent."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import libvirt

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import Command, Guest, open_guest
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, connect
from benchmarks import incumbent
from tests.lab import Host, Lab, images
from tests.lab.hosts import RunningHost

NAME = "island"
BARE_PORT = "org.kvmmanager.bench.0"
PEER = pathlib.Path(__file__).with_name("guest_peer.py")
_PEER_INSIDE = "/run/guest_peer.py"
_BOOT = 1200  # seconds, under emulation


@dataclass(frozen=True)
class Machine:
    """The guest, booted.

    :ivar host: its hypervisor.
    :ivar folder: a scratch folder on this machine.
    """

    host: RunningHost
    folder: pathlib.Path

    @contextmanager
    def guest(self, agent: str = "kvmmanager") -> Iterator[Guest]:
        """A session with one of its agents."""
        with connect(ConnectionOptions(self.host.uri)) as hypervisor, open_guest(hypervisor, NAME, agent) as opened:
            yield opened

    @contextmanager
    def domain(self) -> Iterator[libvirt.virDomain]:
        """The domain, over a connection of its own that knows nothing of this collection."""
        with libvirt.open(self.host.uri) as connection:
            yield connection.lookupByName(NAME)

    @contextmanager
    def bare_port(self) -> Iterator[socket.socket]:
        """The host's end of the extra port, as QEMU opens it: a socket, without libvirt between."""
        with self.domain() as domain:
            place = self.host.path(f"/var/lib/libvirt/qemu/channel/target/domain-{domain.ID()}-{NAME}/")
        # The path of a socket has at most 108 characters; the lab's are longer.
        folder = os.open(place, os.O_PATH | os.O_DIRECTORY)
        try:
            with socket.socket(socket.AF_UNIX) as port:
                port.settimeout(300)
                port.connect(f"/proc/self/fd/{folder}/{BARE_PORT}")
                yield port
        finally:
            os.close(folder)


@contextmanager
def guest_machine() -> Iterator[Machine]:
    """Deploy the guest, with our agent from its first boot on; it is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="kvmmanager-bench-") as name,
        Lab(name=f"bench{os.getpid()}", hosts=[Host("h1")]) as lab,
    ):
        machine = Machine(lab["h1"], pathlib.Path(name))
        _deploy(machine)
        with machine.domain() as domain:
            domain.attachDevice(f"<channel type='unix'><target type='virtio' name='{BARE_PORT}'/></channel>")
        _start_peer(machine)
        yield machine


def _deploy(machine: Machine) -> None:
    """As a person would: with the playbook of this collection."""
    settings = {
        "cloud_vm_hypervisor": machine.host.uri,
        "cloud_vm_image": str(images.cloud()),
        "cloud_vm_network": "none",
        "cloud_vm_memory": "1 GiB",
        "cloud_vm_ssh_authorized_keys": [],
        "cloud_vm_user_data": {"ssh_genkeytypes": []},
        "cloud_vm_wait_timeout": _BOOT,
    }
    inventory = machine.folder / "deploy.json"
    inventory.write_text(json.dumps({"vms": {"hosts": {NAME: settings}}}), encoding="utf-8")
    command = [incumbent.program("ansible-playbook"), "-i", str(inventory), "kvmmanager.libvirt.deploy"]
    environment = incumbent.environment(machine.folder)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the guest was not deployed: {done.stdout[-3000:]} {done.stderr[-2000:]}")
    print("the guest to measure in has booted", file=sys.stderr)


def _start_peer(machine: Machine) -> None:
    """Let the other end of the bare port run in the guest, for as long as the guest does."""
    start = f"python3 {_PEER_INSIDE} /dev/virtio-ports/{BARE_PORT} </dev/null >/dev/null 2>/run/guest_peer.log &"
    with machine.guest() as guest, PEER.open("rb") as source:
        guest.put(source, _PEER_INSIDE, timeout=60)
        guest.run(Command(["udevadm", "settle"]), 60)
        guest.run(Command(["sh", "-c", start]), 60)
