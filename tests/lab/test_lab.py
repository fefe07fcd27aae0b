# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab itself, for real: hosts of two releases, what a crash leaves behind, and the relay."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest

from tests.lab import Host, Lab, LabError
from tests.lab.cache import REPOSITORY
from tests.lab.lab import remove_left_behind
from tests.lab.model import bridge_name, namespace_name
from tests.lab.process import command_line, find_process, is_running
from tests.lab.relay import Relay
from tests.lab.state import State, lab_folder, load

pytestmark = pytest.mark.usefixtures("_quiet_libvirt")
_DOMAIN = """<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory>
<os><type machine='q35'>hvm</type></os></domain>"""
_LIST_ALL_DOMAINS = 273  # REMOTE_PROC_CONNECT_LIST_ALL_DOMAINS


@pytest.fixture(scope="module")
def _quiet_libvirt() -> None:
    """Errors are raised; libvirt need not print them as well."""
    libvirt.registerErrorHandler(lambda _context, _error: None, None)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(name=f"test-{os.getpid()}", hosts=[Host("h1", "bookworm"), Host("h2", "trixie")]) as running:
        yield running


@pytest.fixture
def other_name() -> Iterator[str]:
    """The name of a lab that does not exist, before and after."""
    name = f"crash-{os.getpid()}"
    yield name
    Lab(name).down()


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until something is true, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def traces(state: State) -> list[str]:
    """Return what of a lab can be seen on this machine: processes, links, namespaces, mounts, files."""
    folder = str(state.folder)
    found = [line for line in Path("/proc/mounts").read_text().splitlines() if folder in line]
    found += [str(path) for path in [state.folder] if path.exists()]
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    found += [line for line in links.splitlines() if bridge_name(state.number) in line]
    spaces = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    found += [line for line in spaces.splitlines() if line.startswith(namespace_name(state.name, ""))]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if folder in line:
            found.append(line)
    return found


def start_guest(uri: str, name: str) -> int:
    """Start a guest without a disk and return its process id as this machine sees it."""
    with libvirt.open(uri) as connection:
        connection.createXML(_DOMAIN.format(name=name))
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    (pid,) = [pid for pid in pids if any(f"guest={name}," in word for word in command_line(pid))]
    return pid


def test_hosts_run_different_releases(lab: Lab) -> None:
    versions = []
    for host in lab.hosts:
        with libvirt.open(host.uri) as connection:
            assert connection.getHostname() == host.name
            versions.append(connection.getLibVersion() // 1_000_000)
    assert versions == [9, 11]


def test_guest_networks_do_not_overlap(lab: Lab) -> None:
    addresses = set()
    for host in lab.hosts:
        with libvirt.open(host.uri) as connection:
            network = connection.networkLookupByName("default")
            assert network.isActive()
            addresses.add(network.XMLDesc().partition("<ip address='")[2].partition("'")[0])
    assert len(addresses) == len(lab.hosts)


def test_shared_folder_is_the_same_everywhere(lab: Lab) -> None:
    note = lab.shared / "note"
    note.write_text("hello", encoding="ascii")
    for host in lab.hosts:
        assert host.run(["cat", str(note)]).stdout == "hello"


def test_private_folder_is_private(lab: Lab) -> None:
    first, second = lab.hosts
    first.path("/var/lib/libvirt/images/only-here").touch()
    assert first.run(["ls", "/var/lib/libvirt/images"]).stdout.split() == ["only-here"]
    assert second.run(["ls", "/var/lib/libvirt/images"]).stdout == ""


def test_hosts_cannot_change_the_machine(lab: Lab) -> None:
    for host in lab.hosts:
        with pytest.raises(LabError, match="Read-only file system"):
            host.run(["touch", "/usr/lab-was-here"])


def test_hosts_reach_each_other_by_name(lab: Lab) -> None:
    first, second = lab.hosts
    said = first.run(["virsh", "-c", f"qemu+tcp://{second.name}/system", "hostname"]).stdout
    assert said.strip() == second.name


def test_daemon_dies_and_comes_back(lab: Lab) -> None:
    host = lab["h1"]
    start_guest(host.uri, "survivor")
    host.stop_daemon()
    with pytest.raises(libvirt.libvirtError):
        libvirt.open(host.uri)
    host.start_daemon()
    with libvirt.open(host.uri) as connection:
        assert connection.lookupByName("survivor").isActive()


def test_name_in_use_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match="is up already"):
        Lab(name=lab.name).up()
    assert [libvirt.open(host.uri).isAlive() for host in lab.hosts] == [1, 1]


def test_two_labs_at_the_same_time(lab: Lab, other_name: str) -> None:
    with Lab(name=other_name, hosts=[Host("h1")]) as other:
        assert other["h1"].address != lab["h1"].address
        with libvirt.open(other["h1"].uri) as connection:
            assert connection.isAlive()
    assert libvirt.open(lab["h1"].uri).isAlive()


def test_down_leaves_nothing(other_name: str) -> None:
    with Lab(name=other_name, hosts=[Host("h1")]) as other:
        state = load(other_name)
        assert state is not None
        guest = find_process(start_guest(other["h1"].uri, f"{other_name}-guest"))
        assert guest is not None
        assert traces(state)
    assert traces(state) == []
    assert not is_running(guest)


def kill_while_starting(name: str) -> State:
    """Start a lab with the command line and kill that in the middle: the first host runs, the second does not yet."""
    command = [sys.executable, "-m", "tests.lab", "up", "--name", name, "h1:bookworm", "h2:trixie"]
    starting = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def has_begun() -> bool:
        state = load(name) if (lab_folder(name) / "state.json").exists() else None
        return state is not None and bool(state.supervisors)

    wait_for(has_begun)
    starting.send_signal(signal.SIGKILL)
    starting.wait()
    state = load(name)
    assert state is not None
    assert not state.complete
    assert traces(state)
    return state


def test_cleanup_after_a_crash_leaves_nothing(other_name: str) -> None:
    state = kill_while_starting(other_name)
    subprocess.run([sys.executable, "-m", "tests.lab", "cleanup"], cwd=REPOSITORY, check=True)
    assert traces(state) == []


def test_up_works_after_a_crash(other_name: str) -> None:
    kill_while_starting(other_name)
    with Lab(name=other_name, hosts=[Host("h1")]) as other, libvirt.open(other["h1"].uri) as connection:
        assert connection.getHostname() == "h1"


def test_lab_of_a_killed_test_run_is_removed(lab: Lab, other_name: str) -> None:
    code = f"""
import os, signal
from tests.lab import Host, Lab
with Lab(name={other_name!r}, hosts=[Host("h1")]):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, stderr=subprocess.DEVNULL, check=False)
    state = load(other_name)
    assert state is not None
    assert state.complete
    assert other_name in remove_left_behind()
    assert traces(state) == []
    assert libvirt.open(lab["h1"].uri).isAlive(), "a lab that runs must stay"


def test_host_that_was_not_noted_is_found(other_name: str) -> None:
    """The crash may come between the start of a host and its record."""
    Lab(name=other_name, hosts=[Host("h1")]).up()
    state = load(other_name)
    assert state is not None
    supervisor = next(iter(state.supervisors.values()))
    state.supervisors.clear()
    state.save()
    Lab(name=other_name).down()
    assert not is_running(supervisor)
    assert traces(state) == []


def test_processes_of_others_survive(other_name: str) -> None:
    """Neither a person's program in the host's network nor the new owner of an old process id is ours."""
    Lab(name=other_name, hosts=[Host("h1")]).up()
    state = load(other_name)
    assert state is not None
    inside = subprocess.Popen(["ip", "netns", "exec", namespace_name(other_name, "h1"), "sleep", "60"])
    outside = subprocess.Popen(["sleep", "60"])
    try:
        record = json.loads((state.folder / "state.json").read_text())
        record["supervisors"]["h1"]["pid"] = outside.pid
        (state.folder / "state.json").write_text(json.dumps(record))
        Lab(name=other_name).down()
        assert inside.poll() is None
        assert outside.poll() is None
        assert traces(state) == []
    finally:
        for process in (inside, outside):
            process.kill()
            process.wait()


def test_without_root_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="needs root"):
        Lab(name="nobody").up()


@pytest.mark.parametrize("rtt", [0.0, 0.05])
def test_relay_delays_and_counts(lab: Lab, rtt: float) -> None:
    with Relay(lab["h1"].uri, rtt=rtt) as relay:
        connection = libvirt.open(relay.uri)
        relay.reset()
        began = time.monotonic()
        for _number in range(4):
            connection.listAllDomains()
        elapsed = time.monotonic() - began
        assert relay.calls() == {_LIST_ALL_DOMAINS: 4}
        connection.close()
    assert 4 * rtt <= elapsed < 4 * rtt + 2


def test_relay_ends_when_the_daemon_does(other_name: str) -> None:
    with Lab(name=other_name, hosts=[Host("h1")]) as other, Relay(other["h1"].uri) as relay:
        connection = libvirt.open(relay.uri)
        other["h1"].stop_daemon()
        with pytest.raises(libvirt.libvirtError):
            connection.listAllDomains()
