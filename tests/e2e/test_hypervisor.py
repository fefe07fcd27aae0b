# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a machine with nothing but SSH and Python to a hypervisor, by the playbook that a person runs.

The tests build on each other, in the order in which they stand here, since all of them use the same machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.e2e.fleet import Fleet, Run, write
from tests.e2e.fresh_machine import FreshMachine, fresh_machine

RELEASE = "trixie"  # where libvirt is in many packages; the other one is what most labs run on
USER = "alice"
# Runs that are about something else need not look at packages, pool and network again.
DAEMON_ONLY = ("-e", '{"hypervisor_install": false, "hypervisor_pool": "", "hypervisor_network": ""}')


@pytest.fixture(scope="module")
def machine() -> Iterator[FreshMachine]:
    """The machine, gone at the end whatever happens."""
    with fresh_machine(f"fresh{os.getpid()}", RELEASE) as running:
        running.host.run(["useradd", USER])
        yield running


@pytest.fixture(scope="module")
def fleet(machine: FreshMachine, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """An inventory with the machine as its only hypervisor."""
    folder = tmp_path_factory.mktemp("fresh")
    (folder / "inventory").mkdir()
    write(folder / "inventory" / "hosts.json", {"hypervisors": {"hosts": {"fresh": machine.variables}}})
    (folder / "ansible.cfg").write_text("[defaults]\nnocolor = true\n", encoding="utf-8")
    return Fleet(folder, folder / "no-image", key=None)


@pytest.fixture(scope="module")
def made(fleet: Fleet) -> Run:
    """The first run that may do something."""
    run = fleet.play("hypervisors", "-e", f'{{"hypervisor_users": ["{USER}"]}}')
    assert run.status == 0
    return run


def running(machine: FreshMachine) -> dict[str, int]:
    """The process id of each daemon."""
    return {name: int(machine.host.run(["cat", f"/run/{name}.pid"]).stdout) for name in ("virtlogd", "libvirtd")}


def say_nested(machine: FreshMachine, value: str) -> None:
    """Let the kernel say this about nested virtualization, as far as programs in the machine can see."""
    folder = "/sys/module/kvm_intel/parameters"
    machine.host.run(["mkdir", "--parents", folder])
    machine.host.run(["tee", f"{folder}/nested"], stdin=f"{value}\n")


def test_unknown_user_is_an_error_before_anything_is_done(machine: FreshMachine, fleet: Fleet) -> None:
    """A misspelt name makes no account."""
    run = fleet.play("hypervisors", "-e", '{"hypervisor_users": ["root", "alcie"]}')
    assert run.status != 0
    assert "fresh has no user alcie. Correct hypervisor_users" in run.output
    assert run.changed == set()
    assert machine.host.run(["getent", "passwd", "alcie"], check=False).returncode != 0


def test_packages_daemon_and_resources(machine: FreshMachine, made: Run) -> None:
    """Packages are installed, the daemons run, pool and network are there, and the user may manage VMs."""
    changed = {task for task, _host in made.changed}
    assert {"Install packages on Debian and Ubuntu", "Start the daemons that do not run"} <= changed
    listed = machine.host.run(["virsh", "--connect", "qemu:///system", "pool-list", "--name"]).stdout.split()
    assert listed == ["default"]
    listed = machine.host.run(["virsh", "--connect", "qemu:///system", "net-list", "--name"]).stdout.split()
    assert listed == ["default"]
    assert "libvirt" in machine.host.run(["id", "-nG", USER]).stdout.split()
    assert set(running(machine)) == {"virtlogd", "libvirtd"}


@pytest.mark.usefixtures("made")
def test_a_daemon_that_runs_is_left_alone(machine: FreshMachine, fleet: Fleet) -> None:
    """Where only one of them has ended, only that one is started."""
    before = running(machine)
    machine.host.stop_daemon()
    run = fleet.play("hypervisors", *DAEMON_ONLY)
    assert run.status == 0
    assert run.changed == {("Start the daemons that do not run", "fresh")}
    after = running(machine)
    assert after["virtlogd"] == before["virtlogd"]
    assert after["libvirtd"] != before["libvirtd"]


@pytest.mark.usefixtures("made")
def test_what_the_machine_must_be_able_to_do(machine: FreshMachine, fleet: Fleet) -> None:
    """It has no KVM and no nested virtualization, so whoever asks for them is told."""
    machine.host.run(["mount", "-t", "tmpfs", "tmpfs", "/sys/module"])
    say_nested(machine, "N")
    no_kvm = fleet.play("hypervisors", *DAEMON_ONLY, "-e", "hypervisor_require_kvm=true")
    assert no_kvm.status != 0
    assert "KVM cannot be used on fresh: there is no /dev/kvm" in no_kvm.output
    no_nested = fleet.play("hypervisors", *DAEMON_ONLY, "-e", "hypervisor_require_nested=true")
    assert no_nested.status != 0
    assert "Nested virtualization is off on fresh" in no_nested.output


@pytest.mark.usefixtures("made")
def test_second_run_changes_nothing(machine: FreshMachine, fleet: Fleet) -> None:
    """Not even where the machine must be able to do something, and is."""
    say_nested(machine, "Y")
    options = ("-e", f'{{"hypervisor_users": ["{USER}"], "hypervisor_require_nested": true}}')
    run = fleet.play("hypervisors", *options)
    assert (run.status, run.recap) == (0, {"fresh": 0})


@pytest.mark.usefixtures("made")
def test_check_mode_stops_at_what_is_not_installed(fleet: Fleet) -> None:
    """It cannot ask a daemon that the package would bring."""
    run = fleet.play("hypervisors", "--check", "-e", '{"hypervisor_extra_packages": ["tree"]}')
    assert run.status == 0
    assert run.changed == {("Install packages on Debian and Ubuntu", "fresh")}
