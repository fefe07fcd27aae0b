# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""20 virtual machines from one image of 256 MiB, defined and not started, each by a playbook with two tasks a machine.

Ours makes an overlay and the domain. Theirs makes a full copy of the image and the domain, as virt_cloud_instance of
community.libvirt does. That module is not in every release of the package ansible, and needs virt-install, so its
steps stand here instead, the copy as the cheapest one there is: cp. There is no goal but to be quicker.
"""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import libvirt

from benchmarks import incumbent
from benchmarks.domains import stopped_domain
from benchmarks.figure import Figure
from benchmarks.timing import medians
from tests.lab import Host, Lab

COUNT = 20
_SIZE = 256 * 1024**2
_ROUNDS = 3


def run() -> list[Figure]:
    """The figures of this file."""
    with (
        tempfile.TemporaryDirectory(prefix="kvmmanager-bench-") as name,
        Lab(name=f"bench{os.getpid()}", hosts=[Host("h1")]) as lab,
    ):
        folder, pool, uri = pathlib.Path(name), lab.shared / "pool", lab["h1"].uri
        pool.mkdir()
        _make_image(pool / "image.qcow2")
        _make_pool(uri, pool)
        first = itertools.count(0, COUNT)  # no name is used twice
        contenders = {
            "ours": _playbook(folder, uri, (_our_tasks(range(start, start + COUNT)) for start in first)),
            "theirs": _playbook(folder, uri, (_their_tasks(pool, range(start, start + COUNT)) for start in first)),
        }
        taken = medians(contenders, _ROUNDS, warm_up=0)
    return [Figure(f"{COUNT} machines from one image: overlays, or copies", taken["ours"], taken["theirs"], "s")]


def _our_tasks(numbers: range) -> list[dict[str, Any]]:
    names = [f"vm-{number}" for number in numbers]
    uri = "{{ hypervisor }}"
    volume = {
        "uri": uri,
        "pool": "bench",
        "name": "{{ item }}.qcow2",
        "format": "qcow2",
        "backing": {"pool": "bench", "volume": "image.qcow2"},
    }
    domain = {
        "uri": uri,
        "name": "{{ item }}",
        "type": "qemu",
        "memory": "512 MiB",
        "vcpus": 1,
        "disks": [{"volume": {"pool": "bench", "volume": "{{ item }}.qcow2"}}],
        "interfaces": [{"network": "default"}],
    }
    return [
        {"name": "Make the overlays", "kvmmanager.libvirt.volume": volume, "loop": names},
        {"name": "Make the domains", "kvmmanager.libvirt.domain": domain, "loop": names},
    ]


def _their_tasks(pool: pathlib.Path, numbers: range) -> list[dict[str, Any]]:
    copy = {"argv": ["cp", "--reflink=never", str(pool / "image.qcow2"), str(pool / "{{ item }}.qcow2")]}
    domain = {"uri": "{{ hypervisor }}", "command": "define", "xml": "{{ item }}"}
    return [
        {"name": "Copy the image", "ansible.builtin.command": copy, "loop": [f"vm-{number}" for number in numbers]},
        {"name": "Make the domains", "community.libvirt.virt": domain, "loop": list(map(stopped_domain, numbers))},
    ]


def _playbook(folder: pathlib.Path, uri: str, tasks: Iterator[list[dict[str, Any]]]) -> Callable[[], None]:
    """A call of ansible-playbook with the next tasks, all of which must change something."""
    environment = incumbent.environment(folder)
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": incumbent.program("python"),
        "hypervisor": uri,
    }
    command = [incumbent.program("ansible-playbook"), "--inventory", "machine,", "--extra-vars", json.dumps(variables)]

    def run() -> None:
        play = [{"name": "Deploy", "hosts": "machine", "gather_facts": False, "tasks": next(tasks)}]
        path = folder / "playbook.yml"
        path.write_text(json.dumps(play), encoding="utf-8")
        done = subprocess.run([*command, str(path)], env=environment, capture_output=True, text=True, check=False)
        if done.returncode or done.stdout.count("\nchanged:") != 2 * COUNT:
            raise RuntimeError(f"the machines were not made: {done.stdout[-3000:]} {done.stderr[-2000:]}")

    return run


def _make_image(path: pathlib.Path) -> None:
    """An image with content that neither compresses nor has holes."""
    raw = path.with_suffix(".raw")
    raw.write_bytes(os.urandom(_SIZE))
    subprocess.run(["qemu-img", "convert", "-q", "-f", "raw", "-O", "qcow2", str(raw), str(path)], check=True)
    raw.unlink()


def _make_pool(uri: str, folder: pathlib.Path) -> None:
    connection = libvirt.open(uri)
    pool = f"<pool type='dir'><name>bench</name><target><path>{folder}</path></target></pool>"
    connection.storagePoolCreateXML(pool)
    connection.close()
