# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starting the system's libvirt daemons where they do not run, and ending exactly what was started."""

from __future__ import annotations

import contextlib
import os
import pathlib
import select
import shutil
import signal
import subprocess
from typing import Any

import libvirt

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.kvm import why_kvm_is_unusable

from .common import FOLDER, DemoError, remember, remembered, say

_URI = "qemu:///system"
# The Fedora family runs one daemon for each kind of resource, Debian one for all. Both in the order of their start.
_MODULAR = ("virtlogd", "virtsecretd", "virtnodedevd", "virtnwfilterd", "virtnetworkd", "virtstoraged", "virtqemud")
_GROUPS = (("virtlogd", "libvirtd"), _MODULAR)
_UNITS = (("libvirtd.service",), tuple(f"{name}.socket" for name in _MODULAR))
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_PATIENCE = 10  # seconds for a daemon to end
_KVM = "/dev/kvm"
_FORWARDING = pathlib.Path("/proc/sys/net/ipv4/ip_forward")


def start() -> None:
    """Start them, through systemd where that is the init, and note what --clean has to end.

    :raises DemoError: a daemon is not installed or does not start.
    """
    links, forwards = set(os.listdir("/sys/class/net")), _forwards()
    earlier = (remembered("networks") or []) if remembered("boot") == _boot() else []
    if pathlib.Path("/run/systemd/system").is_dir():
        _start_units()
    else:
        _start_processes()
    # A daemon that starts brings up the networks that are to start with it.
    started = [network.name() for network in _networks() if network.bridgeName() not in links]
    if started:
        say(f"with the daemon came the network {' and '.join(started)}; --clean takes that down, too")
    remember("networks", [*earlier, *started])
    if not forwards:
        remember("forwarding_was_off", True)


def stop() -> None:
    """End what `start` started, unless somebody else uses it by now."""
    units, processes = remembered("units_before"), _alive(remembered("daemons") or [])
    if remembered("boot") != _boot() or (units is None and not processes):
        return
    if vms := _running_vms():
        say(f"{', '.join(vms)} run on the libvirt daemon that the demo started, so it stays")
        return
    for network in _networks():
        if network.name() in (remembered("networks") or []):
            say(f"taking down the network {network.name()}, which came with the daemon")
            network.destroy()
    if units is not None and (more := sorted(set(_active_units()) - set(units))):
        say(f"ending what the demo had started: systemctl stop {' '.join(more)}")
        subprocess.run(["systemctl", "stop", *more], check=False)
    for process in reversed(processes):
        say(f"ending {process['name']} (process {process['pid']}), which the demo had started")
        _end(process["pid"])
    if remembered("forwarding_was_off") and _forwards():
        say(
            "libvirt had switched on IPv4 forwarding for its networks, which stays, as do its empty firewall chains: "
            "somebody else may rely on it by now. `sysctl net.ipv4.ip_forward=0` or a restart switches it off"
        )


def _start_units() -> None:
    group = _installed_units()
    remember("boot", _boot())
    remember("units_before", _active_units())
    say(f"starting the system's libvirt daemon: systemctl start {' '.join(group)}")
    subprocess.run(["systemctl", "start", *group], check=False)


def _installed_units() -> tuple[str, ...]:
    """The units that this distribution means to run: those that are enabled, else those that there are."""
    for question in ("is-enabled", "cat"):
        for group in _UNITS:
            if _systemctl(question, group[-1]).returncode == 0:
                return tuple(unit for unit in group if _systemctl("cat", unit).returncode == 0)
    raise DemoError("libvirt's daemon is not installed; run `make bootstrap`, or install it.")


def _active_units() -> list[str]:
    said = _systemctl("list-units", "--plain", "--no-legend", "--state=active", "libvirt*", "virt*").stdout
    return [line.split()[0] for line in said.splitlines() if line.strip()]


def _systemctl(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemctl", *words], check=False, capture_output=True, text=True)


def _start_processes() -> None:
    group = next((names for names in _GROUPS if all(shutil.which(name, path=_PATH) for name in names)), None)
    if group is None:
        raise DemoError("libvirt's daemon is not installed; run `make bootstrap`, or install it.")
    missing = [name for name in group if not _runs(name)]
    if not missing:
        return
    say(f"systemd is not this machine's init, so the demo starts {' and '.join(missing)} itself; --clean ends them")
    if useless := _useless_kvm():
        say(f"it hides {_KVM} from them: {useless}, which libvirt would find out again and again")
    for name in missing:
        program = shutil.which(name, path=_PATH) or name
        command = _without_kvm(program) if useless else [program, "--daemon"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise DemoError(f"{name} did not start: {done.stderr.strip() or 'it says nothing'}")
        _note(name)


def _note(name: str) -> None:
    """Remember a daemon that was just started."""
    alive = _alive(remembered("daemons") or []) if remembered("boot") == _boot() else []
    pid = _noted_pid(name)
    remember("boot", _boot())
    remember("daemons", [*alive, {"name": name, "pid": pid, "start_time": _start_time(pid)}])


def _useless_kvm() -> str:
    """Why KVM cannot be used though its device is there; nothing where it can be used or is not there."""
    return why_kvm_is_unusable(_URI) if os.path.exists(_KVM) else ""


def _without_kvm(program: str) -> list[str]:
    """The command that starts a daemon that does not see /dev/kvm.

    libvirt's daemon may open a device that QEMU's user may not. Version 9 then asks QEMU for everything that it can do,
    again for each device of each VM, which takes minutes.
    """
    script, folder = pathlib.Path(__file__).with_name("without_kvm.sh"), FOLDER / "dev"
    folder.mkdir(exist_ok=True)
    return ["unshare", "--mount", "--propagation=slave", "sh", str(script), str(folder), program]


def _forwards() -> bool:
    return _FORWARDING.read_text(encoding="ascii").strip() == "1"


def _noted_pid(name: str) -> int:
    return int(pathlib.Path(f"/run/{name}.pid").read_text(encoding="ascii"))


def _runs(name: str) -> bool:
    try:
        return pathlib.Path(f"/proc/{_noted_pid(name)}/comm").read_text(encoding="ascii").strip() == name
    except (OSError, ValueError):
        return False


def _alive(processes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the noted processes that still run: an id may be that of another process by now."""
    return [known for known in processes if _start_time(known["pid"]) == known["start_time"]]


def _start_time(pid: int) -> str | None:
    """When a process began, in the kernel's ticks: together with its id it names exactly one process of a boot."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[19]


def _end(pid: int) -> None:
    """Ask a process to end, and wait until it has."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            select.select([handle], [], [], _PATIENCE)
        finally:
            os.close(handle)


def _boot() -> str:
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _networks() -> list[Any]:
    """The networks that are up, as far as the daemon answers."""
    with contextlib.suppress(libvirt.libvirtError):
        return list(libvirt.open(_URI).listAllNetworks(libvirt.VIR_CONNECT_LIST_NETWORKS_ACTIVE))
    return []


def _running_vms() -> list[str]:
    with contextlib.suppress(libvirt.libvirtError):
        domains = libvirt.open(_URI).listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)
        return sorted(domain.name() for domain in domains)
    return []
