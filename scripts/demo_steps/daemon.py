# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The libvirt daemon that the demo uses: the system's where that is allowed, else the user's own."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import subprocess

import libvirt

from .common import DemoError, remember, remembered, say

SYSTEM = "qemu:///system"
SESSION = "qemu:///session"
# Started in this order where no init does it, each with the file that holds its process id.
_DAEMONS = {"virtlogd": "/run/virtlogd.pid", "libvirtd": "/run/libvirtd.pid"}
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def choose() -> str:
    """The URI of the daemon, which answers. Starts the system's daemons where nobody else does.

    :raises DemoError: no daemon answers.
    """
    if chosen := os.environ.get("KVMMANAGER_DEMO_URI"):
        _check(chosen)
        say(f"using {chosen}, as KVMMANAGER_DEMO_URI says")
        return str(remember("uri", chosen))
    if answers(SYSTEM):
        say(f"using the system's libvirt daemon, {SYSTEM}")
        return str(remember("uri", SYSTEM))
    if os.geteuid() == 0:
        start(SYSTEM)
        return str(remember("uri", SYSTEM))
    say(f"this user may not use {SYSTEM} (members of the group libvirt may): using the user's own, {SESSION}")
    say("it has no bridge, so the VMs get user-mode networking: they reach the world, and nothing reaches them")
    _check(SESSION)
    return str(remember("uri", SESSION))


def start(uri: str) -> None:
    """Make a daemon answer, by starting the system's where that is allowed.

    :raises DemoError: it does not answer.
    """
    if uri == SYSTEM and os.geteuid() == 0:
        _start_system()
    _check(uri)


def answers(uri: str) -> bool:
    """Whether the daemon lets this user in, to change things too."""
    return _open_error(uri) is None


def stop_started() -> None:
    """End the daemons that the demo started, and only those; the last one started ends first."""
    for started in reversed(remembered("daemons") or []):
        if _start_time(started["pid"]) == started["start_time"]:
            say(f"ending {started['name']} (process {started['pid']}), which the demo had started")
            os.kill(started["pid"], signal.SIGTERM)
    remember("daemons", [])


def _start_system() -> None:
    if pathlib.Path("/run/systemd/system").is_dir():
        say("starting the system's libvirt daemon: systemctl start libvirtd")
        subprocess.run(["systemctl", "start", "libvirtd"], check=False)
        return
    say("systemd is not the init of this machine, so the demo starts virtlogd and libvirtd itself; --clean ends them")
    for name, pid_file in _DAEMONS.items():
        program = shutil.which(name, path=_PATH)
        if program is None:
            raise DemoError(f"{name} is not installed; run `make bootstrap` or install libvirt's daemon.")
        if _is_running(pid_file, name):
            continue
        done = subprocess.run([program, "--daemon"], check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise DemoError(f"{name} did not start: {done.stderr.strip() or 'it says nothing'}")
        _note(name, pid_file)


def _note(name: str, pid_file: str) -> None:
    pid = int(pathlib.Path(pid_file).read_text(encoding="ascii"))
    started = remembered("daemons") or []
    remember("daemons", [*started, {"name": name, "pid": pid, "start_time": _start_time(pid)}])


def _is_running(pid_file: str, name: str) -> bool:
    try:
        pid = int(pathlib.Path(pid_file).read_text(encoding="ascii"))
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip() == name
    except (OSError, ValueError):
        return False


def _start_time(pid: int) -> str | None:
    """When a process began, in the kernel's ticks: together with its id it names exactly one process of a boot."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[19]


def _check(uri: str) -> None:
    if error := _open_error(uri):
        raise DemoError(f"{uri} does not answer: {error}. Start libvirt, or name a daemon with KVMMANAGER_DEMO_URI.")


def _open_error(uri: str) -> str | None:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)  # else libvirt prints each error
    try:
        libvirt.open(uri).close()
    except libvirt.libvirtError as error:
        return str(error)
    return None
