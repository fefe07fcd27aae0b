# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo as `make demo` and `make demo-clean` run it: on a hypervisor of the lab, with one VM and its own folder.

The tests build on each other, in the order in which they stand here: the image takes a minute to boot under emulation.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterator

import libvirt
import pytest

from tests.e2e.fleet import ROOT, Run
from tests.lab import Host, Lab, images
from tests.lab.kvm import kvm_is_usable

VM = "kvmmanager-demo-web"
TYPE = "kvm" if kvm_is_usable() else "qemu"
Demo = Callable[..., Run]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One hypervisor, gone at the end whatever happens."""
    with Lab(name=f"demo{os.getpid()}", hosts=[Host("h1")]) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Where the demo remembers things: here, that an earlier run has chosen the lab's image."""
    made = tmp_path_factory.mktemp("demo") / "kept"
    made.mkdir()
    (made / "memory.json").write_text(json.dumps({"image": str(images.cloud())}), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def demo(lab: Lab, folder: pathlib.Path) -> Demo:
    """Runs the demo, as scripts/demo does."""
    settings = {"KVMMANAGER_DEMO_URI": lab["h1"].uri, "KVMMANAGER_DEMO_FOLDER": str(folder), "LC_ALL": "C.UTF-8"}

    def run(*options: str, **more: str) -> Run:
        done = subprocess.run(
            [sys.executable, "-m", "scripts.demo_steps", *options],
            cwd=ROOT,
            env={**os.environ, **settings, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1500,
            check=False,
        )
        print(done.stdout)
        return Run(done.stdout, done.returncode)

    return run


@pytest.fixture(scope="module")
def made(demo: Demo) -> Run:
    """The first run, which is told what it would find out by itself. Later ones remember that."""
    run = demo("--vms", "1", KVMMANAGER_DEMO_TYPE=TYPE)
    assert run.status == 0
    return run


@pytest.fixture(scope="module")
def before(lab: Lab) -> dict[str, set[str]]:
    """What the hypervisor has before the demo."""
    return found_on(lab["h1"].uri)


def found_on(uri: str) -> dict[str, set[str]]:
    """The names of all that a hypervisor has."""
    connection = libvirt.open(uri)
    try:
        pools = connection.listAllStoragePools()
        for pool in pools:
            pool.refresh()  # libvirt goes by what it saw when it last looked
        return {
            "domains": {domain.name() for domain in connection.listAllDomains()},
            "networks": {network.name() for network in connection.listAllNetworks()},
            "pools": {pool.name() for pool in pools},
            "volumes": {volume.name() for pool in pools for volume in pool.listAllVolumes()},
        }
    finally:
        connection.close()


def test_demo_shows_a_vm_with_its_address(before: dict[str, set[str]], lab: Lab, made: Run) -> None:
    """It makes one VM with what that needs, and prints the inventory, the address, and what to try."""
    after = found_on(lab["h1"].uri)
    new = {kind: after[kind] - before[kind] for kind in after}
    assert new["domains"] == {VM}
    assert new["networks"] == new["pools"] == {"kvmmanager-demo"}
    assert f"|--{VM}" in made.output
    (row,) = [line.split() for line in made.output.splitlines() if line.startswith(f"{VM} ") and " lease" in line]
    assert row[1:3] == ["demo", "running"]
    assert row[3].startswith("192.168.177.")
    assert "debian@ADDRESS" in made.output


@pytest.mark.usefixtures("made")
def test_second_run_changes_nothing(demo: Demo) -> None:
    """It finds all that it made."""
    again = demo("--vms", "1")
    assert again.status == 0
    assert again.recap == {"localhost": 0, VM: 0}
    assert f"VMs are of the type {TYPE}, as demo_type says" in again.output


@pytest.mark.usefixtures("made")
def test_an_unknown_type_is_an_error(demo: Demo) -> None:
    """A misspelt variable is told, not ignored."""
    run = demo(KVMMANAGER_DEMO_TYPE="kqemu")
    assert run.status == 1
    assert "KVMMANAGER_DEMO_TYPE is 'kqemu', which is not one of auto, kvm, qemu" in run.output


@pytest.mark.usefixtures("made")
def test_clean_leaves_nothing(demo: Demo, lab: Lab, folder: pathlib.Path, before: dict[str, set[str]]) -> None:
    """Not on the hypervisor, also where another URI is chosen by now, and not in the demo's folder."""
    run = demo("--clean", KVMMANAGER_DEMO_URI="")
    assert run.status == 0
    assert found_on(lab["h1"].uri) == before
    assert not lab["h1"].path("/var/lib/libvirt/images/kvmmanager-demo").exists()
    assert not folder.exists()
    again = demo("--clean")
    assert again.status == 0
    assert "there is nothing to remove" in again.output
