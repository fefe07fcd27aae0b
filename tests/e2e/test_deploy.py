# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From an inventory file to two VMs on two hypervisors of different libvirt releases, and back to nothing.

The tests build on each other, in the order in which they stand here: a full cloud image boots in about
a minute under emulation, so all of them use the same two VMs.
"""

from __future__ import annotations

import json

import libvirt
import pytest

from tests.e2e.fleet import Fleet, Run
from tests.lab import Lab

VMS = {"web1": "h1", "web2": "h2"}
ONE = ("--limit", "web1")  # the other guest would do the same


@pytest.fixture(scope="module")
def foretold(fleet: Fleet) -> Run:
    """What check mode says before anything is there."""
    return fleet.play("deploy", "--check", "--diff")


@pytest.fixture(scope="module")
def deployed(fleet: Fleet, foretold: Run) -> Run:
    """The first real run."""
    run = fleet.play("deploy", "--diff")
    assert run.status == 0
    return run


def in_guest(lab: Lab, fleet: Fleet, vm: str, *command: str) -> str:
    """What a command says in a guest, over SSH from its hypervisor: from nowhere else is there a way to it."""
    address = fleet.hosts()[vm]["ansible_host"]
    options = ["-i", str(fleet.key), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    ssh = ["ssh", "-q", *options, "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", f"debian@{address}"]
    return lab[VMS[vm]].run([*ssh, *command]).stdout.strip()


def left_on(uri: str) -> dict[str, set[str]]:
    """The names of the domains and of the volumes that a hypervisor has."""
    connection = libvirt.open(uri)
    try:
        domains = {domain.name() for domain in connection.listAllDomains()}
        pools = connection.listAllStoragePools()
        volumes = {volume.name() for pool in pools for volume in pool.listAllVolumes()}
        return {"domains": domains, "volumes": volumes}
    finally:
        connection.close()


def test_hosts_are_of_different_releases(lab: Lab) -> None:
    """Otherwise this would prove half of what it says."""
    versions = set()
    for host in lab.hosts:
        connection = libvirt.open(host.uri)
        versions.add(connection.getLibVersion() // 1_000_000)
        connection.close()
    assert len(versions) == 2


def test_check_mode_foretells_the_run(foretold: Run, deployed: Run) -> None:
    """Check mode works where nothing exists yet, and says the same as the run that follows."""
    assert foretold.status == 0
    assert foretold.changed == deployed.changed
    assert {host for _task, host in deployed.changed} == set(VMS)


@pytest.mark.usefixtures("deployed")
def test_inventory_has_addresses(fleet: Fleet) -> None:
    """The inventory plugin lists both VMs, with their hypervisor, label and address."""
    hosts = fleet.hosts()
    for vm, hypervisor in VMS.items():
        assert hosts[vm]["libvirt_hypervisor"] == hypervisor
        assert hosts[vm]["libvirt_state"] == "running"
        assert hosts[vm]["libvirt_labels"] == {"service": vm}
        assert hosts[vm]["ansible_host"].startswith("192.168.")
    assert hosts["web1"]["ansible_host"] != hosts["web2"]["ansible_host"]


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("vm", VMS)
def test_cloud_init_configured_the_guest(lab: Lab, fleet: Fleet, vm: str) -> None:
    """Host name, user, key, file and command are there, and cloud-init has really ended without an error."""
    assert in_guest(lab, fleet, vm, "hostname") == vm
    assert in_guest(lab, fleet, vm, "sudo", "-n", "id", "-un") == "root"
    assert in_guest(lab, fleet, vm, "cat", "/etc/e2e") == "written by cloud-init"
    assert in_guest(lab, fleet, vm, "cat", "/var/lib/e2e-runs") == "run"
    result = json.loads(in_guest(lab, fleet, vm, "cat", "/run/cloud-init/result.json"))
    assert result["v1"]["errors"] == []
    assert "NoCloud" in result["v1"]["datasource"]


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize("options", [(), ("--check", "--diff")], ids=["run", "check"])
def test_second_run_changes_nothing(fleet: Fleet, options: tuple[str, ...]) -> None:
    """Run again, and checked again, the playbook has nothing to do."""
    run = fleet.play("deploy", *options)
    assert run.status == 0
    assert run.recap == dict.fromkeys(VMS, 0)


@pytest.mark.usefixtures("deployed")
def test_role_removes_and_installs_the_agent_over_ssh(fleet: Fleet) -> None:
    """What the first boot has installed is what the role wants. Each run has been foretold, and is not needed twice."""
    assert fleet.play("guest_agents", *ONE).recap == {"web1": 0}
    for state, agent in (("absent", "qemu"), ("present", "kvmmanager")):
        wanted = (*ONE, "-e", f"guest_agent_state={state}")
        foretold = fleet.play("guest_agents", "--check", *wanted)
        run = fleet.play("guest_agents", *wanted)
        assert (foretold.status, run.status) == (0, 0)
        assert foretold.changed == run.changed != set()
        assert fleet.hosts()["web1"]["libvirt_agent"] == agent
        assert fleet.play("guest_agents", *wanted).recap == {"web1": 0}


@pytest.mark.usefixtures("deployed")
def test_destroy_leaves_nothing(lab: Lab, fleet: Fleet) -> None:
    """Only the image stays, which other VMs may share; checking and running a second time finds nothing to do."""
    foretold = fleet.play("destroy", "--check")
    removed = fleet.play("destroy")
    assert removed.status == 0
    assert foretold.changed == removed.changed
    for host in lab.hosts:
        left = left_on(host.uri)
        assert left["domains"] == set()
        assert [name.startswith(fleet.image.stem) for name in left["volumes"]] == [True]
        assert list(host.path("/var/lib/libvirt/qemu/").glob("**/web*")) == []
    again = fleet.play("destroy")
    assert again.status == 0
    assert again.recap == dict.fromkeys(VMS, 0)
    assert not set(VMS) & {name for name, found in fleet.hosts().items() if "libvirt_uuid" in found}
