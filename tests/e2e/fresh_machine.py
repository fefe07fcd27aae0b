# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine that has nothing but Debian, SSH and Python, and may be changed: what a hypervisor is made of.

It is a lab of one host, which has a system of its own and runs no libvirt. So a crash is cleaned up as any lab's is.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.e2e.mirror import mirror_at
from tests.lab import Host, LabError, network, settings, ssh
from tests.lab.cache import REPOSITORY, cached
from tests.lab.debian import LEFT_OUT, install
from tests.lab.hosts import RunningHost
from tests.lab.lab import remove, remove_left_behind
from tests.lab.model import gateway
from tests.lab.process import find_process
from tests.lab.requirements import check_for_hosts
from tests.lab.run import run
from tests.lab.state import BASE, NUMBERS_LOCK, State, locked
from tests.lab.supervisor import Spec

# Debian's installer brings python3-apt, without which Ansible's module apt has no check mode.
_PACKAGES = ("openssh-server", "python3", "python3-apt")


@dataclass(frozen=True)
class FreshMachine:
    """The machine while it runs.

    :ivar host: runs programs in it.
    :ivar variables: how Ansible reaches it.
    """

    host: RunningHost
    variables: dict[str, object]


@contextlib.contextmanager
def fresh_machine(name: str, release: str) -> Iterator[FreshMachine]:
    """Start one, and remove it at the end. Debian's packages can be installed in it."""
    host = Host("fresh", release=release, ssh=True)
    check_for_hosts([host])
    system = _system(release)
    remove_left_behind()
    with locked(name):
        with locked(NUMBERS_LOCK):
            state = State(name, network.free_number(), [host], owner=find_process(os.getpid()))
            state.save()
        try:
            network.create_bridge(state.number)
            network.create_host_link(state, 0)
            with mirror_at(gateway(state.number)) as mirror:
                yield _start(state, system, mirror)
        finally:
            remove(name)


def _system(release: str) -> Path:
    """The folder with a freshly installed release, which nobody writes to."""
    recipe = {"release": release, "packages": _PACKAGES, "left_out": LEFT_OUT, "version": 1}
    return cached("roots", f"fresh-{release}", recipe, lambda at: install(release, at, _PACKAGES), "about 20 s")


def _start(state: State, system: Path, mirror: str) -> FreshMachine:
    host = RunningHost(state, 0)
    root = state.folder / "system"
    run(["cp", "--archive", "--reflink=auto", system, root])
    state.client.folder.mkdir(mode=0o700)
    ssh.write_client_files(state.client)
    (root / "etc/libvirt").mkdir()
    ssh.write_server_files(state.client, root / "etc/libvirt", host.address)
    # Should a VM ever start here, libvirt must make no devices for it: it would enter a namespace whose root is that of
    # the real machine. Packages leave a file alone that is there already.
    (root / "etc/libvirt/qemu.conf").write_text(settings.qemu_conf(), encoding="ascii")
    (root / "etc/apt/sources.list").write_text(f"deb {mirror} {host.release} main\n", encoding="ascii")
    (root / "etc/dpkg/dpkg.cfg.d/fast").write_text("force-unsafe-io\n", encoding="ascii")
    (root / BASE.relative_to("/")).mkdir(parents=True)
    _start_init(state, host, root)
    host.run(["mount", "--options", "remount,bind,rw", "/"])  # a lab's hosts share theirs, so it comes up read-only
    host.run(["mkdir", "/run/sshd"])
    host.run(["/usr/sbin/sshd", "-f", f"{ssh.SERVER_FOLDER}/config"])
    options = f"-F none -o UserKnownHostsFile={state.client.known_hosts} -o StrictHostKeyChecking=yes"
    variables = {
        "ansible_host": host.address,
        "ansible_user": "root",
        "ansible_ssh_common_args": options,
        "ansible_ssh_private_key_file": str(state.client.ssh_key),
        "ansible_pipelining": True,
        "ansible_python_interpreter": "/usr/bin/python3",
    }
    return FreshMachine(host, variables)


def _start_init(state: State, host: RunningHost, root: Path) -> None:
    """Start the first process of the machine, whose end is that of the machine, and note which one it is."""
    shared = state.folder / "shared"
    shared.mkdir()
    (host.folder / "root").mkdir(parents=True)
    spec = Spec(host.name, root=str(root), folder=str(host.folder), base=str(BASE), shared=str(shared), kvm=False)
    spec_file = host.folder / "supervisor.json"
    spec_file.write_text(json.dumps(asdict(spec)), encoding="utf-8")
    command = ["ip", "netns", "exec", host.namespace, "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork"]
    command += ["--propagation=private", sys.executable, "-m", "tests.lab.supervisor", str(spec_file)]
    child = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout:
        line = child.stdout.readline()
    process = find_process(int(line)) if line.strip() else None
    if process is None:
        raise LabError("the fresh machine could not be made; standard error says why")
    state.supervisors[host.name] = process
    state.complete = True
    state.save()
