# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The init of the tiny guest: the only process of a machine that boots in seconds, even emulated.

It loads drivers, asks for an address on every network interface, answers as qemu-guest-agent does, and powers off
when the power button is pressed. A file /kvmmanager-agent (see :func:`.tiny.tiny_with_agent`) is run with Python on
our own agent's port, again when it ends. Kernel arguments that it reads:

- ``tiny.hostname=NAME``: what it calls itself (default ``tiny``);
- ``tiny.ignore_power``: be a guest that does not react to the power button.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import struct
import threading
import time
from typing import Any, BinaryIO

_FINIT_MODULE = 313  # the system call's number on x86-64
_POWER_OFF, _RESTART = 0x4321FEDC, 0x01234567  # linux/reboot.h
_GET_ADDRESS = 0x8915  # SIOCGIFADDR
_AGENT_PORT = "org.qemu.guest_agent.0"
_OUR_AGENT = "/kvmmanager-agent"
_OUR_PORT = "org.kvmmanager.agent.0"
_INPUT_EVENT = struct.Struct("llHHi")
_EV_KEY, _KEY_POWER = 1, 116
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Be init: it must not return."""
    for kind, place in (("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")):
        _libc.mount(kind.encode(), place.encode(), kind.encode(), 0, None)
    # What busybox's poweroff and reboot tell an init.
    signal.signal(signal.SIGUSR2, lambda _number, _frame: _end(_POWER_OFF))
    signal.signal(signal.SIGTERM, lambda _number, _frame: _end(_RESTART))
    options = dict(word.partition("=")[::2] for word in _read("/proc/cmdline").split())
    hostname = options.get("tiny.hostname", "tiny").encode()
    _libc.sethostname(hostname, len(hostname))
    _load_drivers()
    threading.Thread(target=_serve_agent, daemon=True).start()
    if os.path.exists(_OUR_AGENT):
        threading.Thread(target=_run_our_agent, daemon=True).start()
    _say("ready")
    _watch("tiny.ignore_power" in options)


def _load_drivers() -> None:
    """Load the drivers in the order in which they need each other."""
    for name in _read("/drivers/order").split():
        with open(f"/drivers/{name}", "rb") as module:
            if _libc.syscall(_FINIT_MODULE, module.fileno(), b"", 0):
                _say(f"no driver {name}: {os.strerror(ctypes.get_errno())}")


def _watch(ignore_power: bool) -> None:
    """React to power buttons, and to interfaces that come later, for ever."""
    known = {"lo"}
    buttons: dict[str, int] = {}
    while True:
        present = set(os.listdir("/sys/class/net"))
        for interface in present - known:
            _ask_for_address(interface)
        known = present | {"lo"}
        with contextlib.suppress(OSError):
            for name in os.listdir("/dev/input"):
                if name.startswith("event") and name not in buttons:
                    buttons[name] = os.open(f"/dev/input/{name}", os.O_RDONLY)
        ready, _write, _error = select.select(list(buttons.values()), [], [], 1)
        for handle in ready:
            if _is_power_button(handle):
                _say("power button")
                if not ignore_power:
                    _end(_POWER_OFF)


def _is_power_button(handle: int) -> bool:
    _seconds, _micros, kind, code, value = _INPUT_EVENT.unpack(os.read(handle, _INPUT_EVENT.size))
    return (kind, code, value) == (_EV_KEY, _KEY_POWER, 1)


def _ask_for_address(interface: str) -> None:
    """Let busybox get an address by DHCP, and keep it."""
    os.waitpid(_busybox("ip", "link", "set", interface, "up"), 0)
    name = f"hostname:{os.uname().nodename}"
    _busybox("udhcpc", "-f", "-R", "-i", interface, "-s", "/udhcpc.sh", "-x", name, "-t", "60", "-T", "1")


def _busybox(*words: str) -> int:
    return os.posix_spawn("/bin/busybox", ["busybox", *words], {"PATH": "/bin"})


def _end(how: int) -> None:
    _libc.sync()
    _libc.reboot(ctypes.c_int(how))


def _serve_agent() -> None:
    """Answer on qemu-guest-agent's port for as long as there is one, now or later."""
    while True:
        device = _find_port(_AGENT_PORT)
        if device:
            with contextlib.suppress(OSError), open(device, "r+b", buffering=0) as port:
                _answer(port)
        time.sleep(0.5)


def _run_our_agent() -> None:
    """Keep our own agent running, as systemd would."""
    os.waitpid(_busybox("--install", "-s", "/bin"), 0)
    while True:
        device = _find_port(_OUR_PORT)
        if device:
            words = ["python3", "-S", _OUR_AGENT, "--config", "/kvmmanager-agent.json", "--port", device]
            os.waitpid(os.posix_spawn("/usr/bin/python3", words, {"PATH": "/bin:/usr/bin"}), 0)
            _say("our agent ended")
        time.sleep(0.2)


def _find_port(name: str) -> str | None:
    with contextlib.suppress(OSError):
        for port in os.listdir("/sys/class/virtio-ports"):
            if _read(f"/sys/class/virtio-ports/{port}/name").strip() == name:
                return f"/dev/{port}"
    return None


def _answer(port: BinaryIO) -> None:
    """Read one command a line and write one answer a line."""
    rest = b""
    while True:
        data = port.read(65536)
        if not data:  # the host has not opened its end
            time.sleep(0.1)
            continue
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):
                command = json.loads(line.lstrip(b"\xff"))
                reply = _run_command(command["execute"], command.get("arguments", {}))
                port.write(json.dumps(reply).encode() + b"\n")


def _run_command(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to one command, in the terms of QEMU's qga/qapi-schema.json."""
    if name in ("guest-sync", "guest-sync-delimited"):
        return {"return": arguments.get("id")}
    if name == "guest-shutdown":
        _end(_RESTART if arguments.get("mode") == "reboot" else _POWER_OFF)
    known = {
        "guest-ping": dict,
        "guest-info": _agent_info,
        "guest-get-host-name": lambda: {"host-name": os.uname().nodename},
        "guest-network-get-interfaces": _interfaces,
    }
    if name not in known:
        return {"error": {"class": "CommandNotFound", "desc": f"The command {name} has not been found"}}
    return {"return": known[name]()}


def _agent_info() -> dict[str, Any]:
    names = ("guest-sync", "guest-ping", "guest-info", "guest-get-host-name", "guest-network-get-interfaces")
    commands = [{"name": name, "enabled": True, "success-response": True} for name in names]
    commands.append({"name": "guest-shutdown", "enabled": True, "success-response": False})
    return {"version": "7.2.0", "supported_commands": commands}


def _interfaces() -> list[dict[str, Any]]:
    """Return the interfaces with their IPv4 addresses."""
    found: list[dict[str, Any]] = []
    for name in sorted(os.listdir("/sys/class/net")):
        interface: dict[str, Any] = {"name": name, "hardware-address": _read(f"/sys/class/net/{name}/address").strip()}
        address = _ipv4_address(name)
        if address:
            prefix = 8 if name == "lo" else 24
            interface["ip-addresses"] = [{"ip-address": address, "ip-address-type": "ipv4", "prefix": prefix}]
        found.append(interface)
    return found


def _ipv4_address(interface: str) -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        answer = fcntl.ioctl(probe, _GET_ADDRESS, struct.pack("256s", interface.encode()))
        return socket.inet_ntoa(answer[20:24])
    return None


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as handle:
        return handle.read()


def _say(text: str) -> None:
    print(f"tiny: {text}", flush=True)


if __name__ == "__main__":
    main()
