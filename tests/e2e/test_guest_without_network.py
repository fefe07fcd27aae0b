# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A VM without a network interface: it has its agent from the first boot on, and Ansible works in it like anywhere.

The tests build on each other, in the order in which they stand here, since all of them use the same VM: it boots from a
full cloud image, which takes a while under emulation.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from xml.etree import ElementTree

import libvirt
import pytest

from tests.e2e.fleet import ROOT, Fleet, Run, dynamic_inventory, write
from tests.lab import Host, Lab, images

VM = "island"
AGENT = ("agent", "agent_connected")  # variables that the inventory plugin gives on demand
NEW_VERSION = "99.0.0"
CONFIG = {"limits": {"concurrent": 9}}
THROUGH_THE_AGENT = ("-e", "ansible_connection=kvmmanager.libvirt.guest")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One hypervisor, gone at the end whatever happens."""
    with Lab(name=f"island{os.getpid()}", hosts=[Host("h1", tls=True, ssh=True)]) as running:
        yield running


@pytest.fixture(scope="module")
def fleet(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """An inventory with one VM that has no network. It is not deployed yet."""
    folder = tmp_path_factory.mktemp("island")
    image, uri = images.cloud(), lab["h1"].uri
    settings = {
        "cloud_vm_hypervisor": "h1",
        "cloud_vm_image": str(image),
        "cloud_vm_network": "none",
        "cloud_vm_memory": "768 MiB",
        "cloud_vm_vcpus": 2,
        "cloud_vm_disk_size": "4 GiB",
        "cloud_vm_ssh_authorized_keys": [],
        # What takes an emulated guest long, and this one does not need: SSH, and System V's scripts, which are asked
        # for their status one by one.
        "cloud_vm_user_data": {
            "ssh_deletekeys": False,
            "ssh_genkeytypes": [],
            "bootcmd": [["sh", "-c", "rm -f /etc/init.d/*"], ["systemctl", "mask", "--now", "ssh.service"]],
        },
        "ansible_python_interpreter": "/usr/bin/python3",
        "cloud_vm_wait_timeout": 1200,
    }
    (folder / "inventory").mkdir()
    hypervisors = {"hosts": {"h1": {"libvirt_uri": uri}}}
    write(folder / "inventory" / "hosts.json", {"hypervisors": hypervisors, "vms": {"hosts": {VM: settings}}})
    plugin = {**dynamic_inventory({"h1": uri}), "variables": ["name", "uuid", "uri", "state", "addresses", *AGENT]}
    write(folder / "inventory" / "fleet.libvirt.yml", plugin)
    (folder / "ansible.cfg").write_text("[defaults]\nnocolor = true\n", encoding="utf-8")
    return Fleet(folder, image, key=None)


@pytest.fixture(scope="module")
def deployed(fleet: Fleet) -> Run:
    """The VM, after its first boot."""
    run = fleet.play("deploy")
    assert run.status == 0
    return run


@pytest.fixture
def new_packages(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with the packages of a later version."""
    folders: list[str | pathlib.Path] = [tmp_path, "--role", tmp_path / "role"]
    command = [sys.executable, "-m", "packaging", "--version", NEW_VERSION, *folders]
    subprocess.run(command, cwd=ROOT / "agent", check=True)
    return tmp_path / "role"


def as_text(element: ElementTree.Element) -> str:
    """A part of a domain's XML."""
    return ElementTree.tostring(element, "unicode")


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for what libvirt does after its call has returned."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


def configure(fleet: Fleet, *options: str) -> Run:
    """Run the playbook in the guest."""
    return fleet.play_file("configure.yml", *THROUGH_THE_AGENT, *options)


@pytest.mark.usefixtures("deployed")
def test_inventory_says_that_the_agent_is_connected(lab: Lab, fleet: Fleet) -> None:
    """The VM has no interface and no address, and still is known to be reachable."""
    found = fleet.hosts()[VM]
    assert found["libvirt_state"] == "running"
    assert found["libvirt_agent"] == "kvmmanager"
    assert found["libvirt_agent_connected"] is True
    assert "ansible_host" not in found
    connection = libvirt.open(lab["h1"].uri)
    try:
        assert "<interface" not in connection.lookupByName(VM).XMLDesc()
    finally:
        connection.close()


@pytest.mark.usefixtures("deployed")
def test_deploying_again_changes_nothing(fleet: Fleet) -> None:
    """What the role waits for, cloud-init and the agent, is there at once."""
    run = fleet.play("deploy")
    assert (run.status, run.recap) == (0, {VM: 0})


@pytest.mark.usefixtures("deployed")
def test_playbook_through_the_agent(fleet: Fleet) -> None:
    """Run twice, it configures the guest, and then finds nothing to do."""
    first = configure(fleet, "-e", "ansible_libvirt_agent=kvmmanager")
    assert (first.status, first.recap) == (0, {VM: 5})
    again = configure(fleet, "-e", "ansible_libvirt_agent=kvmmanager")
    assert (again.status, again.recap) == (0, {VM: 0})


@pytest.mark.usefixtures("deployed")
def test_connection_in_every_way(lab: Lab, fleet: Fleet, tmp_path: pathlib.Path) -> None:
    """Other users, large files, no pipelining, other URIs, and what takes too long."""
    given = {"uris": [lab["h1"].uri_for(way) for way in ("tcp", "tls", "ssh")], "here": str(tmp_path)}
    assert fleet.play_file("connection.yml", "-e", json.dumps(given)).status == 0


@pytest.mark.usefixtures("deployed")
def test_agent_sets_a_password(fleet: Fleet) -> None:
    """It takes a system with the usual programs, which the tiny guest is not."""
    assert fleet.play_file("password.yml").status == 0


@pytest.mark.usefixtures("deployed")
def test_udev_starts_the_agent_when_its_port_is_plugged_in(lab: Lab, fleet: Fleet) -> None:
    """It ends with its port. Nobody but udev and systemd knows when there is another one."""
    with libvirt.open(lab["h1"].uri) as connection:
        domain = connection.lookupByName(VM)
        tree = ElementTree.fromstring(domain.XMLDesc())
        (port,) = (channel for channel in tree.iter("channel") if "org.kvmmanager.agent.0" in as_text(channel))
        domain.detachDevice(as_text(port))
        wait_until(lambda: "org.kvmmanager.agent.0" not in domain.XMLDesc())
        assert fleet.hosts()[VM]["libvirt_agent"] == "qemu"
        domain.attachDevice("<channel type='unix'><target type='virtio' name='org.kvmmanager.agent.0'/></channel>")
    assert fleet.play_file("answers.yml", *THROUGH_THE_AGENT).status == 0


@pytest.mark.usefixtures("deployed")
def test_the_agent_comes_back_after_a_reboot(fleet: Fleet) -> None:
    """As at every boot but the first, where cloud-init has started it."""
    assert fleet.play_file("reboot.yml").status == 0


@pytest.mark.usefixtures("deployed")
def test_role_upgrades_the_agent_through_itself(fleet: Fleet, new_packages: pathlib.Path) -> None:
    """The agent goes on until Ansible lets go of it; then the new one is there, and nothing is left to do."""
    options = (*THROUGH_THE_AGENT, "-e", f"new_packages={new_packages}", "-e", f"new_version={NEW_VERSION}")
    wanted = {"guest_agent_hosts": VM, "guest_agent_package_dir": str(new_packages), "guest_agent_config": CONFIG}
    role = ("guest_agents", *THROUGH_THE_AGENT, "-e", json.dumps(wanted))
    foretold = fleet.play(role[0], "--check", *role[1:])
    upgraded = fleet.play_file("upgrade.yml", *options, "-e", json.dumps({"new_config": CONFIG}))
    assert (foretold.status, upgraded.status) == (0, 0)
    assert foretold.changed == upgraded.changed
    assert fleet.play(*role).recap == {VM: 0}
    assert {task for task, _host in upgraded.changed} == {
        "Bring the package",
        "Install the package",
        "Configure the agent",
        "Reload the guest agent",
    }


@pytest.mark.usefixtures("deployed")
def test_role_removes_the_agent_through_itself(fleet: Fleet) -> None:
    """Nothing of it is left, as qemu-guest-agent shows; through which a second run has nothing to do."""
    assert fleet.play_file("remove.yml", *THROUGH_THE_AGENT).status == 0
    assert fleet.hosts()[VM]["libvirt_agent"] == "qemu"
    wanted = json.dumps({"guest_agent_hosts": VM, "guest_agent_state": "absent"})
    again = fleet.play("guest_agents", *THROUGH_THE_AGENT, "-e", wanted)
    assert (again.status, again.recap) == (0, {VM: 0})


@pytest.mark.usefixtures("deployed")
def test_playbook_through_qemu_guest_agent_alone(fleet: Fleet) -> None:
    """The same playbook finds what it did before, and writes the two files that shall say something else now."""
    run = configure(fleet, "-e", "greeting=Goodbye")
    assert (run.status, run.recap) == (0, {VM: 2})
    assert {task for task, _host in run.changed} == {"Have a file", "Have a file from a template"}


@pytest.mark.usefixtures("deployed")
def test_destroy_leaves_nothing(lab: Lab, fleet: Fleet) -> None:
    """Only the image stays, which other VMs may share."""
    assert fleet.play("destroy", "-e", "cloud_vm_stop_timeout=30").status == 0
    connection = libvirt.open(lab["h1"].uri)
    try:
        assert connection.listAllDomains() == []
        volumes = [volume.name() for pool in connection.listAllStoragePools() for volume in pool.listAllVolumes()]
    finally:
        connection.close()
    assert [name.startswith(fleet.image.stem) for name in volumes] == [True]
