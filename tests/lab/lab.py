# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab: several hosts, started and stopped together."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from . import network, ssh
from .cache import remove_tree
from .client import ClientFiles
from .errors import LabBusyError, LabError
from .hosts import RunningHost
from .model import Host, check_hosts, check_name
from .process import Process, boot_id, find_process, is_running
from .requirements import check_for_hosts
from .roots import root_of
from .run import say
from .state import NUMBERS_LOCK, State, load, load_all, locked

DEFAULT_NAME = os.environ.get("KVMMANAGER_LAB_NAME", "lab")
DEFAULT_HOSTS = (Host("h1", release="bookworm"), Host("h2", release="trixie"))


class Lab:
    """Hosts behind one bridge; a context manager that takes them down at its end.

    :ivar hosts: the running hosts, in the order they were asked for. Empty before :meth:`up`.
    :raises LabError: (all methods) one sentence about what is wrong.
    """

    def __init__(self, name: str = DEFAULT_NAME, hosts: Sequence[Host] = DEFAULT_HOSTS) -> None:
        self.name = check_name("lab", name)
        self._wanted = list(hosts)
        check_hosts(self._wanted)
        self.hosts: list[RunningHost] = []

    @classmethod
    def attach(cls, name: str = DEFAULT_NAME) -> Lab:
        """Return the lab of that name that already runs, such as one that C(make lab-up) started."""
        state = load(name)
        if state is None or not is_alive(state):
            raise LabError(f"lab {name!r} does not run; start it with `python -m tests.lab up --name {name}`")
        lab = cls(name, state.hosts)
        lab.hosts = [RunningHost(state, index) for index in range(len(state.hosts))]
        return lab

    @property
    def client(self) -> ClientFiles:
        """What a client needs to log in by TLS or SSH."""
        return State(self.name, 0, []).client

    @property
    def shared(self) -> Path:
        """The folder that all hosts and this machine see at the same path."""
        return State(self.name, 0, []).folder / "shared"

    def __getitem__(self, host: str) -> RunningHost:
        """Return the host of that name."""
        for candidate in self.hosts:
            if candidate.name == host:
                return candidate
        raise LabError(f"lab {self.name!r} has no host {host!r}; it has {', '.join(h.name for h in self.hosts)}")

    def share(self, file: Path) -> Path:
        """Copy a file into the shared folder, once, and return where all hosts find it."""
        target = self.shared / f"{file.parent.name}-{file.name}"
        if not target.exists():
            shutil.copyfile(file, target)
        return target

    def __enter__(self) -> Lab:
        self.up(owner=find_process(os.getpid()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def up(self, owner: Process | None = None) -> None:
        """Start all hosts. What earlier runs of any name left behind after a crash is removed first.

        :param owner: the process that the lab is for; once it is gone, the lab counts as left behind.
        """
        check_for_hosts(self._wanted)
        for host in self._wanted:
            root_of(host.release)
        remove_left_behind()
        with locked(self.name, wait=False):
            self._check_free()
            try:
                self._start(owner)
            except BaseException:
                remove(self.name)
                raise

    def down(self) -> None:
        """Stop all hosts and remove everything the lab made."""
        with locked(self.name):
            remove(self.name)
        self.hosts = []

    def _check_free(self) -> None:
        """Raise LabError if the lab runs; remove it if a crash left it behind."""
        state = load(self.name)
        if state is None:
            return
        if is_alive(state):
            raise LabError(
                f"lab {self.name!r} is up already; use another --name (or KVMMANAGER_LAB_NAME), "
                f"or stop it with `python -m tests.lab down --name {self.name}`"
            )
        say(f"removing what an earlier run of lab {self.name!r} left behind")
        remove(self.name)

    def _start(self, owner: Process | None) -> None:
        with locked(NUMBERS_LOCK):  # nobody else may choose the same number meanwhile
            state = State(self.name, network.free_number(), self._wanted, owner=owner)
            state.save()
        shared = state.folder / "shared"
        shared.mkdir(mode=0o777)
        shared.chmod(0o1777)
        _write_client_files(state)
        network.create_bridge(state.number)
        for index, spec in enumerate(self._wanted):
            network.create_host_link(state, index)
            host = RunningHost(state, index)
            host.start()
            self.hosts.append(host)
            say(f"{self.name}/{spec.name}: {host.uri} ({spec.release})")
        state.complete = True
        state.save()


def _write_client_files(state: State) -> None:
    """Make what the clients of the hosts need to log in, if any host asks for it."""
    state.client.folder.mkdir(mode=0o700)
    if any(host.tls for host in state.hosts):
        from . import tls  # needs cryptography, which is not there yet when `requirements` is asked

        tls.write_client_files(state.client)
    if any(host.ssh for host in state.hosts):
        ssh.write_client_files(state.client)


def is_alive(state: State) -> bool:
    """Return whether a lab is whole and somebody still wants it."""
    wanted = state.owner is None or is_running(state.owner)
    same_boot = state.boot == boot_id()
    return same_boot and wanted and state.complete and all(map(is_running, state.supervisors.values()))


def remove(name: str) -> None:
    """Remove all of a lab, running, broken or half made. The caller holds its lock. Does nothing if there is none.

    :raises LabError: something could not be removed; then the record stays, for another try.
    """
    state = load(name)
    if state is None:
        return
    if state.boot == boot_id():  # a boot takes processes and links down by itself
        for index in range(len(state.hosts)):
            RunningHost(state, index).stop()
        network.remove_all(state)
        if left := network.leftovers(state):
            raise LabError(f"lab {name!r}: could not remove {', '.join(left)}; try `ip link delete` by hand")
    remove_tree(state.folder)


def remove_left_behind() -> list[str]:
    """Remove the labs whose owner has gone or that a crash left half made, and return their names.

    Labs that run, and those that are being started or stopped right now, stay.
    """
    removed = []
    for state in load_all():
        if is_alive(state):
            continue
        with contextlib.suppress(LabBusyError), locked(state.name, wait=False):
            current = load(state.name)
            if current is not None and not is_alive(current):
                say(f"removing lab {state.name!r}, which an earlier run left behind")
                remove(state.name)
                removed.append(state.name)
    return removed
