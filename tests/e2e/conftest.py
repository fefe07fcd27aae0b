# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two lab hosts of different releases, and a fleet of one VM on each that a playbook can deploy."""

from __future__ import annotations

import os
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.fleet import Fleet, dynamic_inventory, write
from tests.lab import Host, Lab, images

HOSTS = (Host("h1", release="bookworm", ssh=True), Host("h2", release="trixie", ssh=True))


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """The lab, gone at the end whatever happens."""
    with Lab(name=f"e2e{os.getpid()}", hosts=HOSTS) as running:
        yield running


@pytest.fixture(scope="module")
def fleet(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """An inventory with a VM for each host: web1 on h1, web2 on h2. Nothing is deployed yet."""
    folder = tmp_path_factory.mktemp("fleet")
    key = lab.shared / "id_ed25519"  # where the hosts can use it to log in to their guests
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "e2e", "-f", str(key)], check=True)
    image = images.cloud()
    uris = {host.name: host.uri for host in lab.hosts}
    (folder / "inventory").mkdir()
    inventory = static_inventory(uris, image, key.with_suffix(".pub"))
    inventory["vms"]["vars"].update(ansible_user="debian", ansible_ssh_private_key_file=str(key))
    for settings in inventory["vms"]["hosts"].values():
        settings["ansible_ssh_common_args"] = through(lab, settings["cloud_vm_hypervisor"])
    write(folder / "inventory" / "hosts.json", inventory)
    variables = ["name", "uuid", "uri", "hypervisor", "state", "labels", "addresses", "agent"]
    write(folder / "inventory" / "fleet.libvirt.yml", {**dynamic_inventory(uris), "variables": variables})
    (folder / "ansible.cfg").write_text("[defaults]\nnocolor = true\n", encoding="utf-8")
    return Fleet(folder, image, key)


def through(lab: Lab, hypervisor: str) -> str:
    """Options for SSH to a guest by way of its hypervisor, since its network is behind that."""
    way = f"{lab.client.ssh_program} -W %h:%p root@{lab[hypervisor].address}"
    return f"-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ProxyCommand='{way}'"


def static_inventory(uris: dict[str, str], image: pathlib.Path, public_key: pathlib.Path) -> dict[str, Any]:
    """What a person writes: hypervisors, and VMs that name theirs."""
    settings = {
        "cloud_vm_image": str(image),
        "cloud_vm_memory": "768 MiB",
        "cloud_vm_vcpus": 1,
        "cloud_vm_disk_size": "4 GiB",
        "cloud_vm_ssh_authorized_keys": [public_key.read_text(encoding="ascii").strip()],
        "cloud_vm_user_data": {
            "write_files": [{"path": "/etc/e2e", "content": "written by cloud-init\n"}],
            "runcmd": [["sh", "-c", "echo run >> /var/lib/e2e-runs"]],
        },
        "cloud_vm_wait_timeout": 1200,
    }
    vms = {"web1": {"cloud_vm_hypervisor": "h1"}, "web2": {"cloud_vm_hypervisor": "h2"}}
    labels = {name: {"cloud_vm_labels": {"service": name}} for name in vms}
    return {
        "hypervisors": {"hosts": {name: {"libvirt_uri": uri} for name, uri in uris.items()}},
        "vms": {"hosts": {name: {**vms[name], **labels[name]} for name in vms}, "vars": settings},
    }
