# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What our agent costs a guest while nobody is there: as its package has it, on a real port that no host holds open.

Such a port is readable for ever, and a naive program spins on it. A process in the guest says on the console all the
time how often the agent has run, and how much memory it has.
"""

from __future__ import annotations

import io
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import Command, Guest, open_guest
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, connect
from tests.lab import Host, Lab, images
from tests.lab.cache import REPOSITORY
from tests.lab.images.initramfs import write_archive

_PATIENCE = 240  # seconds, for an emulated guest on a busy machine
_MEMORY_LIMIT = 25 * 1024  # KiB
_SAMPLES = 8  # one a second, in each of which an agent that polls would have run
_TRANSFERS, _COMMANDS = 16, 60
_DOMAIN = """<domain type='qemu'>
  <name>idle</name>
  <memory unit='MiB'>384</memory>
  <os>
    <type machine='q35'>hvm</type>
    <kernel>{kernel}</kernel><initrd>{initrd}</initrd><cmdline>{cmdline}</cmdline>
  </os>
  <features><acpi/></features>
  <cpu mode='maximum'/>
  <devices>
    <channel type='unix'><target type='virtio' name='org.kvmmanager.agent.0'/></channel>
    <serial type='file'><source path='{console}'/></serial>
  </devices>
</domain>"""
# Takes the agent's place in the tiny guest, and becomes the launcher of the package.
_LAUNCH = """
import os, sys, time

def facts(path):
    with open(path) as status:
        return dict(line.split(":", 1) for line in status)

def runs(thread):
    try:
        found = facts(thread + "/status")
    except OSError:  # it has just ended
        return 0
    return int(found["voluntary_ctxt_switches"]) + int(found["nonvoluntary_ctxt_switches"])

def sample(agent):
    with open(f"/proc/{agent}/stat") as stat:
        words = stat.read().rpartition(")")[2].split()
    found = facts(f"/proc/{agent}/status")
    threads = [f"/proc/{agent}/task/{name}" for name in os.listdir(f"/proc/{agent}/task")]
    ticks = int(words[11]) + int(words[12])
    return time.monotonic(), sum(map(runs, threads)), ticks, found["VmRSS"].split()[0], len(threads)

agent = os.getpid()
child = os.fork()
if not child:
    if not os.fork():
        while True:
            time.sleep(1)
            with open("/dev/console", "w") as console:
                print("sample", *sample(agent), file=console)
    os._exit(0)
os.waitpid(child, 0)
os.execv("/bin/sh", ["sh", "/usr/sbin/kvmmanager-agent", *sys.argv[1:]])
"""


@dataclass(frozen=True)
class Sample:
    """The agent at one moment of the guest's clock.

    :ivar runs: how often its threads have run.
    :ivar ticks: processor time that it has used.
    :ivar resident: KiB.
    """

    moment: float
    runs: int
    ticks: int
    resident: int
    threads: int


@pytest.fixture(name="lab", scope="module")
def _lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A guest with what the package installs."""
    scratch = tmp_path_factory.mktemp("idle")
    tiny = images.tiny_with_agent(scratch)
    tree, archive, initrd = scratch / "tree", scratch / "tree.img", scratch / "initrd.img"
    subprocess.run([sys.executable, "-m", "packaging", scratch], cwd=REPOSITORY / "agent", check=True)
    (package,) = scratch.glob("*.deb")
    subprocess.run(["dpkg-deb", "--extract", package, tree], check=True)
    (tree / "kvmmanager-agent").write_text(_LAUNCH, encoding="ascii")
    write_archive(tree, archive)
    initrd.write_bytes(tiny.initrd.read_bytes() + archive.read_bytes())
    with Lab(name=f"idle-{os.getpid()}", hosts=[Host("h1", "bookworm")]) as running:
        description = _DOMAIN.format(
            kernel=running.share(tiny.kernel),
            initrd=running.share(initrd),
            cmdline=tiny.cmdline,
            console=running.shared / "console",
        )
        with libvirt.open(running["h1"].uri) as connection:
            connection.createXML(description)
        yield running


@contextmanager
def talking(lab: Lab) -> Iterator[Guest]:
    with (
        connect(ConnectionOptions(lab["h1"].uri)) as hypervisor,
        open_guest(hypervisor, "idle", wait=_PATIENCE, timeout=60) as guest,
    ):
        yield guest


def samples(lab: Lab) -> list[Sample]:
    """What the guest has said until now."""
    said = (lab.shared / "console").read_text(encoding="utf-8", errors="replace")
    rows = re.findall(r"^sample ([\d.]+) (\d+) (\d+) (\d+) (\d+)\r?$", said, re.MULTILINE)
    return [Sample(float(moment), *map(int, rest)) for moment, *rest in rows]


def rest(lab: Lab) -> Sample:
    """Wait until the agent has not run for a while; a slow machine takes its time to come to that."""
    known = len(samples(lab))
    end = time.monotonic() + _PATIENCE
    while True:
        found = samples(lab)[known:][-_SAMPLES:]
        if len(found) == _SAMPLES and (found[0].runs, found[0].ticks) == (found[-1].runs, found[-1].ticks):
            break
        assert time.monotonic() < end, f"it never rests: {found}"
        time.sleep(0.5)
    assert found[-1].threads <= 2, "one may wait for the next request"
    assert found[-1].resident <= _MEMORY_LIMIT
    return found[-1]


def test_before_there_ever_was_a_host_and_after_one_that_worked_much(lab: Lab) -> None:
    before = rest(lab)
    with talking(lab) as guest:
        (agent,) = [it for it in guest.info("processes")["processes"] if "kvmmanager-agent.pyz" in it["command"]]
        assert agent["command"].startswith("/usr/bin/python3 -I /usr/lib/kvmmanager-agent/kvmmanager-agent.pyz")
        content = random.Random(1).randbytes(4 * 1024 * 1024)
        for _time in range(_TRANSFERS):
            sink = io.BytesIO()
            guest.put(io.BytesIO(content), "/tmp/file", timeout=60)
            guest.get("/tmp/file", sink, timeout=60)
            assert sink.getvalue() == content
        for _time in range(_COMMANDS):
            assert guest.run(Command(["true"]), 60).rc == 0
    after = rest(lab)
    assert after.runs > before.runs + 1000, "it was another process"
    print(f"resident: {before.resident} KiB before, {after.resident} KiB after")
