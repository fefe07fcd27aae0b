# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of our guest agent, with the agent in a real guest behind a real libvirt."""

from __future__ import annotations

import hashlib
import io
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import session
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import (
    Command,
    Guest,
    GuestError,
    GuestUnreachable,
    open_guest,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, connect
from tests.lab import Host, Lab, images
from tests.lab.cache import REPOSITORY

_PATIENCE = 240  # seconds, for an emulated guest on a busy machine
_CHANNEL = "<channel type='unix'><target type='virtio' name='org.kvmmanager.agent.0'/></channel>"
_DOMAIN = """<domain type='qemu'>
  <name>talker</name>
  <memory unit='MiB'>384</memory>
  <os>
    <type machine='q35'>hvm</type>
    <kernel>{kernel}</kernel><initrd>{initrd}</initrd><cmdline>{cmdline}</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <devices>
    <controller type='virtio-serial' index='0'/>
    {channel}
    <console type='pty'/>
  </devices>
</domain>"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    with Lab(name=f"client-{os.getpid()}", hosts=[Host("h1", "bookworm", tls=True, ssh=True)]) as running:
        tiny = images.tiny_with_agent(tmp_path_factory.mktemp("agent"))
        description = _DOMAIN.format(
            kernel=running.share(tiny.kernel),
            initrd=running.share(tiny.initrd),
            cmdline=tiny.cmdline,
            channel=_CHANNEL,
        )
        with libvirt.open(running["h1"].uri) as connection:
            connection.defineXML(description).create()
        yield running


@pytest.fixture
def domain(lab: Lab) -> Iterator[libvirt.virDomain]:
    with libvirt.open(lab["h1"].uri) as connection:
        yield connection.lookupByName("talker")


@contextmanager
def talking(lab: Lab, transport: str = "tcp", wait: float = _PATIENCE, timeout: float = 60) -> Iterator[Guest]:
    options = ConnectionOptions(lab["h1"].uri_for(transport))
    with connect(options) as hypervisor, open_guest(hypervisor, "talker", wait=wait, timeout=timeout) as guest:
        yield guest


@pytest.fixture
def guest(lab: Lab) -> Iterator[Guest]:
    with talking(lab) as opened:
        yield opened


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that is silent is given up sooner than usual."""
    monkeypatch.setattr(session, "_QUIET", 1.0)
    monkeypatch.setattr(session, "_DEAD", 4.0)


def shell(script: str) -> Command:
    return Command(["sh", "-c", script])


def interrupt(lab: Lab, transfer: str, file: Path, path: str, times: int, seed: int) -> None:
    """Have a transfer killed so many times."""
    program = Path(__file__).with_name("interrupted_transfer.py")
    words = [transfer, REPOSITORY / ".cache/collections", lab["h1"].uri, "talker", file, path, times, seed]
    subprocess.run([sys.executable, program, *map(str, words)], check=True, timeout=200)


# --- what it can do


def test_it_says_what_it_is(guest: Guest) -> None:
    assert guest.agent == "kvmmanager"
    assert {"exec", "file_put", "ping"} <= guest.methods
    assert guest.info("system")["hostname"] == "tiny"
    assert any("init" in process["name"] for process in guest.info("processes")["processes"])


def test_a_command(guest: Guest) -> None:
    command = Command(["sh", "-c", 'cat; echo "$NAME in $PWD as $(id -u)" >&2; exit 3'], "/tmp", {"NAME": "é"}, "user")
    result = guest.run(command, 60, stdin=b"\x00\xff given")
    assert (result.rc, result.stdout) == (3, b"\x00\xff given")
    assert result.stderr.decode() == "é in /tmp as 1000\n"
    assert guest.run(shell("kill -KILL $$"), 60).signal == "KILL"
    with pytest.raises(GuestError, match="cannot run no-such-program"):
        guest.run(Command(["no-such-program"]), 60)


def test_a_command_that_takes_too_long_is_ended(guest: Guest) -> None:
    with pytest.raises(GuestError, match="did not run sleep within 1 seconds"):
        guest.run(Command(["sleep", "1000"]), 1)
    assert not guest.run(Command(["pidof", "sleep"]), 60).stdout


def test_much_output_comes_as_it_is_written(guest: Guest) -> None:
    pieces: list[bytes] = []
    guest.run(shell("dd if=/dev/zero bs=65536 count=64 2>/dev/null"), 60, on_output=lambda _name, it: pieces.append(it))
    assert (len(pieces) > 10, sum(map(len, pieces))) == (True, 4 * 1024 * 1024)


@pytest.mark.parametrize("transport", ["tcp", "tls", "ssh"])
def test_files_through_each_transport(lab: Lab, transport: str) -> None:
    content = random.Random(1).randbytes(3_000_000)
    sink = io.BytesIO()
    with talking(lab, transport) as guest:
        guest.put(io.BytesIO(content), "/tmp/file", mode=0o640, owner="user", timeout=60)
        facts = guest.get("/tmp/file", sink, timeout=60)
        assert [name for name, _facts in guest.list("/tmp")] == ["file"]
        guest.remove("/tmp/file")
        assert guest.stat("/tmp/file") is None
    assert sink.getvalue() == content
    assert (facts.mode, facts.uid, facts.sha256) == (0o640, 1000, hashlib.sha256(content).hexdigest())


# --- more than one


@pytest.mark.parametrize("transport", ["tcp", "tls"], ids=["of this user", "from elsewhere"])
def test_a_second_program_waits_its_turn(lab: Lab, transport: str) -> None:
    with talking(lab) as first:
        with pytest.raises(GuestUnreachable, match="Another program has used the port"), talking(lab, transport, 0, 1):
            pass
        ended = threading.Timer(1.0, first.close)
        ended.start()
        with talking(lab, transport) as second:
            assert second.call("ping")
        ended.join()


# --- what goes wrong


@pytest.mark.usefixtures("_impatient")
def test_the_agent_is_killed_in_the_middle(lab: Lab, guest: Guest) -> None:
    begun = time.monotonic()
    with pytest.raises(GuestUnreachable):
        guest.run(shell("kill -KILL $(pidof python3); sleep 1000"), 600)
    assert time.monotonic() - begun < 60
    guest.close()
    with talking(lab) as after:
        assert after.call("ping")


@pytest.mark.usefixtures("_impatient")
def test_the_guest_starts_again_in_the_middle(lab: Lab, guest: Guest, domain: libvirt.virDomain) -> None:
    boot = guest.info("system")["boot_id"]
    reset = threading.Timer(0.5, domain.reset)
    reset.start()
    with pytest.raises(GuestUnreachable):
        guest.run(Command(["sleep", "1000"]), 600)
    reset.join()
    guest.close()
    with talking(lab) as after:
        assert after.info("system")["boot_id"] != boot


def test_a_client_that_is_killed_at_any_byte_can_go_on(lab: Lab, tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # pytest shows it when the test fails
    file = tmp_path / "file"
    file.write_bytes(random.Random(seed).randbytes(24 * 1024 * 1024))
    interrupt(lab, "put", file, "/tmp/killed", 100, seed)
    positions: list[int] = []
    with talking(lab) as guest, file.open("rb") as source:
        assert guest.stat("/tmp/killed") is None
        guest.put(source, "/tmp/killed", timeout=60, progress=positions.append)
        facts = guest.stat("/tmp/killed", sha256=True)
        left = [name for name, _facts in guest.list("/tmp")]
    interrupt(lab, "get", file, "/tmp/killed", 30, seed)
    with talking(lab) as guest:
        assert guest.get("/tmp/killed", io.BytesIO(), timeout=60) == facts
        guest.remove("/tmp/killed")
    assert facts is not None
    assert facts.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert positions[0] > 1024 * 1024  # it went on, and did not begin again
    assert left == ["killed"]


def test_a_guest_that_is_paused_in_an_upload_is_left_in_time(lab: Lab, domain: libvirt.virDomain) -> None:
    content = random.Random(2).randbytes(48 * 1024 * 1024)

    def pause(position: int) -> None:
        if position > 4 * 1024 * 1024 and domain.info()[0] == libvirt.VIR_DOMAIN_RUNNING:
            domain.suspend()

    begun = time.monotonic()
    try:
        with (
            pytest.raises(GuestError, match=r"has not said anything for \d+ seconds: it is paused or hangs"),
            talking(lab, "ssh") as guest,
        ):
            guest.put(io.BytesIO(content), "/tmp/paused", timeout=8, progress=pause)
        assert time.monotonic() - begun < 30
    finally:
        domain.resume()
    with talking(lab) as after:
        after.put(io.BytesIO(content), "/tmp/paused", timeout=60)
        after.remove("/tmp/paused")


def test_the_agent_starts_again_in_the_middle(lab: Lab) -> None:
    """With the times of a user: it says soon after the question that it knows nothing of the session."""
    begun = time.monotonic()
    with talking(lab) as guest, pytest.raises(GuestUnreachable, match="was started again"):
        guest.run(shell("kill -KILL $(pidof python3); sleep 1000"), 600)
    assert time.monotonic() - begun < 30


def test_the_port_is_unplugged_in_the_middle(lab: Lab, guest: Guest, domain: libvirt.virDomain) -> None:
    live = ElementTree.fromstring(domain.XMLDesc()).find("devices/channel")
    assert live is not None
    unplug = threading.Timer(0.5, domain.detachDevice, [ElementTree.tostring(live, "unicode")])
    unplug.start()
    begun = time.monotonic()
    with pytest.raises(GuestUnreachable, match="broke: the guest was switched off or started again, or its port was"):
        guest.run(Command(["sleep", "1000"]), 600)
    assert time.monotonic() - begun < 20
    unplug.join()
    guest.close()
    with pytest.raises(GuestUnreachable, match="has no port org.kvmmanager.agent.0"), talking(lab, wait=0):
        pass
    domain.attachDevice(_CHANNEL)
    with talking(lab) as after:
        assert after.call("ping")


def test_the_guest_is_switched_off_in_the_middle(lab: Lab, guest: Guest, domain: libvirt.virDomain) -> None:
    off = threading.Timer(0.5, domain.destroy)
    off.start()
    begun = time.monotonic()
    with pytest.raises(GuestUnreachable, match="broke"):
        guest.run(Command(["sleep", "1000"]), 600)
    assert time.monotonic() - begun < 20
    off.join()
    guest.close()
    with pytest.raises(GuestUnreachable, match="does not run, so nothing can be done in"), talking(lab, wait=0):
        pass
