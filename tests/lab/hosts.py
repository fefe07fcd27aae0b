# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One host of a lab while it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from . import settings
from .cache import REPOSITORY
from .errors import LabError
from .files import write_host_files
from .kvm import kvm_is_usable
from .model import Host, host_address, namespace_name
from .process import Process, command_line, find_process, kill
from .roots import root_of
from .run import run
from .ssh import SERVER_FOLDER
from .state import BASE, State
from .supervisor import PRIVATE_FOLDERS, Spec

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class RunningHost:
    """A host: where it is, how to reach its daemon, and how to run something in it.

    :ivar name: its name.
    :ivar release: its Debian release.
    :ivar address: its address on the lab's bridge.
    :ivar uri: its daemon over TCP, for any process of this machine.
    """

    def __init__(self, state: State, index: int) -> None:
        self._state = state
        self._index = index
        self.spec: Host = state.hosts[index]
        self.name = self.spec.name
        self.release = self.spec.release
        self.address = host_address(state.number, index)
        self.uri = f"qemu+tcp://{self.address}/system"
        self.namespace = namespace_name(state.name, self.name)
        self.folder = state.folder / "hosts" / self.name

    def uri_for(self, transport: str) -> str:
        """Return the daemon's URI over C(tcp), C(tls) or C(ssh), with all the options that a client needs.

        :raises LabError: the host was not asked to offer it (C(Host(tls=True)), C(Host(ssh=True))).
        """
        client = self._state.client
        if transport == "tcp":
            return self.uri
        if transport == "tls" and self.spec.tls:
            return f"qemu+tls://{self.address}/system?pkipath={client.pki}"
        if transport == "ssh" and self.spec.ssh:
            return f"qemu+ssh://root@{self.address}/system?keyfile={client.ssh_key}&command={client.ssh_program}"
        raise LabError(f"host {self.name} does not offer {transport!r}; ask for it when the lab is made")

    def path(self, inside: str) -> Path:
        """Return where this machine sees a file of the host's private folders, such as its volumes."""
        if not inside.startswith(tuple(f"{folder}/" for folder in PRIVATE_FOLDERS)):
            raise LabError(f"{inside} is not in a private folder of host {self.name}")
        return self.folder / "private" / inside.lstrip("/")

    def run(
        self, argv: Sequence[str], *, check: bool = True, timeout: float = 60, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in the host, as root, and return its result.

        :raises LabError: the host does not run, or the program fails (with C(check)).
        """
        supervisor = self._state.supervisors.get(self.name)
        if supervisor is None or find_process(supervisor.pid) != supervisor:
            raise LabError(f"host {self.name} of lab {self._state.name!r} does not run")
        root = f"/proc/{supervisor.pid}/root"
        enter = ["nsenter", f"--target={supervisor.pid}", f"--root={root}", f"--wd={root}"]
        enter += ["--mount", "--uts", "--ipc", "--net", "--pid"]
        return run([*enter, *argv], check=check, timeout=timeout, stdin=stdin, env={"PATH": _PATH, "LC_ALL": "C.UTF-8"})

    def start(self) -> None:
        """Make the host's file system and start its daemons. Its network is there already."""
        root = root_of(self.release)
        (self.folder / "root").mkdir(parents=True)
        write_host_files(self._state, self._index, root, self.folder / "private")
        self._start_supervisor(root)
        self.run(["virtlogd", "--daemon"])
        if self.spec.ssh:
            self.run(["mkdir", "/run/sshd"])
            self.run(["/usr/sbin/sshd", "-f", f"{SERVER_FOLDER}/config"])
        if self.spec.auth == "sasl":
            command = ["saslpasswd2", "-p", "-c", "-a", "libvirt", "-f", settings.SASL_DATABASE, settings.SASL_USER]
            self.run(command, stdin=settings.SASL_PASSWORD)
        self.start_daemon()

    def start_daemon(self) -> None:
        """Start libvirtd and return once it answers."""
        self.run(["env", f"SASL_CONF_PATH={settings.SASL_FOLDER}", "libvirtd", "--daemon", "--listen"])

    def stop_daemon(self) -> None:
        """Kill libvirtd, as a crash would. Its guests go on running."""
        pid = self.run(["cat", "/run/libvirtd.pid"]).stdout.strip()
        self.run(["sh", "-c", 'kill -KILL "$1"; while kill -0 "$1" 2>/dev/null; do sleep 0.02; done', "sh", pid])

    def stop(self) -> None:
        """End every process of the host. Works on a host that was started only partly, or not at all.

        :raises LabError: the host is still there after 10 seconds.
        """
        for process in self._supervisors():
            if not kill(process):
                raise LabError(f"host {self.name} (process {process.pid}) did not end within 10 s")

    def _supervisors(self) -> list[Process]:
        """Return the host's first process, also when a crash came before it was noted."""
        known = self._state.supervisors.get(self.name)
        if known is not None and find_process(known.pid) == known:
            return [known]
        listed = run(["ip", "netns", "pids", self.namespace], check=False).stdout.split()
        ours = [pid for pid in map(int, listed) if str(self._spec_file) in command_line(pid)]
        return [process for process in map(find_process, ours) if process is not None]

    @property
    def _spec_file(self) -> Path:
        return self.folder / "supervisor.json"

    def _start_supervisor(self, root: Path) -> None:
        """Start the host's first process in new namespaces, and note which one it is."""
        shared = self._state.folder / "shared"
        spec = Spec(
            name=self.name,
            root=str(root),
            folder=str(self.folder),
            base=str(BASE),
            shared=str(shared),
            kvm=kvm_is_usable(),
        )
        self._spec_file.write_text(json.dumps(asdict(spec)), encoding="utf-8")
        command = ["ip", "netns", "exec", self.namespace]
        command += ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--propagation=private"]
        command += [sys.executable, "-m", "tests.lab.supervisor", str(self._spec_file)]
        log = self.folder / "supervisor.log"
        with log.open("wb") as errors:
            child = subprocess.Popen(
                command,
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C in the terminal of `up` is not for the host
            )
        assert child.stdout is not None
        with child.stdout:
            line = child.stdout.readline()
        process = find_process(int(line)) if line.strip() else None
        if process is None:
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise LabError(f"host {self.name} could not be made: {said[-1] if said else 'it ended at once'}")
        self._state.supervisors[self.name] = process
        self._state.save()
