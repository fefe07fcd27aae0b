# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One host of a lab while it runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from . import settings
from .cache import REPOSITORY
from .errors import LabError
from .kvm import kvm_is_usable
from .model import Host, host_address, namespace_name
from .network import default_network_xml
from .process import Process, command_line, find_process, kill
from .roots import root_of
from .run import run
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
        self._write_private_folders()
        self._start_supervisor()
        self.run(["virtlogd", "--daemon"])
        self.start_daemon()

    def start_daemon(self) -> None:
        """Start libvirtd and return once it answers."""
        self.run(["libvirtd", "--daemon", "--listen"])

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

    def _start_supervisor(self) -> None:
        """Start the host's first process in new namespaces, and note which one it is."""
        shared = self._state.folder / "shared"
        root = root_of(self.release)
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

    def _write_private_folders(self) -> None:
        """Give the host its own folders, with the owners its release gives them, and its settings."""
        root = root_of(self.release)
        for folder in PRIVATE_FOLDERS:
            private, original = self.path(f"{folder}/"), root / folder.lstrip("/")
            if not original.is_dir():
                continue  # of a package that this machine does not have, so nothing in the host writes there
            private.mkdir(parents=True)
            known = original.stat()
            os.chown(private, known.st_uid, known.st_gid)
            private.chmod(known.st_mode & 0o7777)
        (self.folder / "root").mkdir()
        addresses = {h.name: host_address(self._state.number, i) for i, h in enumerate(self._state.hosts)}
        etc = self.folder / "private/etc"
        (etc / "hosts").write_text(settings.hosts_file(addresses), encoding="ascii")
        (etc / "hostname").write_text(f"{self.name}\n", encoding="ascii")
        self._write_libvirt_settings(etc / "libvirt", root)

    def _write_libvirt_settings(self, etc: Path, root: Path) -> None:
        """Write what a freshly installed Debian hypervisor has in /etc/libvirt, and no domain of this machine."""
        filters = root / "etc/libvirt/nwfilter"
        if filters.is_dir():
            shutil.copytree(filters, etc / "nwfilter")
        (etc / "libvirtd.conf").write_text(
            settings.libvirtd_conf(self._state.name, self.spec, self.address), encoding="ascii"
        )
        (etc / "qemu.conf").write_text(settings.qemu_conf(), encoding="ascii")
        for folder, text in (
            (etc / "qemu/networks", default_network_xml(self._index)),
            (etc / "storage", settings.default_pool_xml()),
        ):
            (folder / "autostart").mkdir(parents=True)
            (folder / "default.xml").write_text(text, encoding="ascii")
            (folder / "autostart/default.xml").symlink_to(f"/etc/libvirt/{folder.relative_to(etc)}/default.xml")
        self.path("/var/log/libvirt/qemu").mkdir(parents=True)
        images = self.path("/var/lib/libvirt/images")
        images.mkdir()
        images.chmod(0o711)
