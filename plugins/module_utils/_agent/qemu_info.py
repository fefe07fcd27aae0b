# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What qemu-guest-agent tells of a guest, in the shapes of our own agent's ``get_*``; None where it does not know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import Command, GuestError
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.qemu_calls import QemuCalls
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.qemu_programs import SECONDS, execute
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline

# One line each: it prints an empty one for what is not there.
_KERNEL = """
for file in /proc/sys/kernel/random/boot_id /etc/machine-id /proc/uptime; do
    read -r line < "$file" || line=
    echo "$line"
done 2> /dev/null
while read -r name value unit; do
    if [ "$name" = MemTotal: ]; then echo "$value"; fi
done < /proc/meminfo
"""
_NANOSECONDS = 1e9
_CANNOT = (wire.DENIED, wire.METHOD_NOT_FOUND)


def _system(calls: QemuCalls) -> dict[str, Any]:
    hostname = _optional(lambda: calls.object("guest-get-host-name", {}, SECONDS).get("host-name"))
    zone = _optional(lambda: calls.object("guest-get-timezone", {}, SECONDS)) or {}
    time = _optional(lambda: calls.answer("guest-get-time", {}, SECONDS))
    vcpus = _optional(lambda: calls.objects("guest-get-vcpus", SECONDS))
    kernel = _optional(lambda: _kernel(calls)) or {}
    return {
        "hostname": hostname,
        "fqdn": None,
        "os": _optional(lambda: _os(calls)),
        "time": time / _NANOSECONDS if isinstance(time, int) else None,
        "timezone": zone.get("zone"),
        "utc_offset": zone.get("offset"),
        "cpus": None if vcpus is None else sum(one.get("online") is True for one in vcpus),
        "boot_id": kernel.get("boot_id"),
        "machine_id": kernel.get("machine_id"),
        "uptime": kernel.get("uptime"),
        "memory": kernel.get("memory"),
    }


def _network(calls: QemuCalls) -> dict[str, Any]:
    found = calls.objects("guest-network-get-interfaces", SECONDS)
    return {"interfaces": [_interface(one) for one in found], "gateways": None, "nameservers": None}


def _disks(calls: QemuCalls) -> dict[str, Any]:
    return {"filesystems": [_filesystem(one) for one in calls.objects("guest-get-fsinfo", SECONDS)]}


def _sessions(calls: QemuCalls) -> dict[str, Any]:
    users = calls.objects("guest-get-users", SECONDS)
    return {
        "sessions": [
            {"user": one.get("user"), "terminal": None, "from": None, "since": one.get("login-time")} for one in users
        ]
    }


TOPICS: dict[str, Callable[[QemuCalls], dict[str, Any]]] = {
    "system": _system,
    "network": _network,
    "disks": _disks,
    "sessions": _sessions,
}


def _optional(question: Callable[[], Any]) -> Any:
    """The answer, or None when this guest's agent cannot or may not give it."""
    try:
        return question()
    except GuestError as error:
        if error.code not in _CANNOT:
            raise
        return None


def _os(calls: QemuCalls) -> dict[str, Any]:
    found = calls.object("guest-get-osinfo", {}, SECONDS)
    return {
        "family": "windows" if found.get("id") == "mswindows" else "linux",
        "id": found.get("id"),
        "version": found.get("version-id"),
        "name": found.get("pretty-name"),
        "kernel": found.get("kernel-release"),
        "machine": found.get("machine"),
    }


def _kernel(calls: QemuCalls) -> dict[str, Any]:
    told = execute(calls, Command(["/bin/sh", "-c", _KERNEL]), Deadline(SECONDS), None).stdout
    lines = [*told.decode("utf-8", "replace").splitlines(), "", "", "", ""]
    try:
        uptime = float(lines[2].split()[0]) if lines[2] else None
        memory = int(lines[3]) * 1024 if lines[3] else None
    except ValueError:
        raise calls.wrong("guest-exec", "the kernel's own numbers") from None
    return {"boot_id": lines[0] or None, "machine_id": lines[1] or None, "uptime": uptime, "memory": memory}


def _interface(found: dict[str, Any]) -> dict[str, Any]:
    addresses = found.get("ip-addresses")
    return {
        "name": found.get("name"),
        "mac": found.get("hardware-address"),
        "mtu": None,
        "up": None,
        "state": "unknown",
        "addresses": [
            {
                "address": one.get("ip-address"),
                "family": one.get("ip-address-type"),
                "prefix": one.get("prefix"),
                "scope": None,
            }
            for one in (addresses if isinstance(addresses, list) else [])
            if isinstance(one, dict)
        ],
    }


def _filesystem(found: dict[str, Any]) -> dict[str, Any]:
    size, used = found.get("total-bytes"), found.get("used-bytes")
    free = size - used if isinstance(size, int) and isinstance(used, int) else None
    return {
        "mount": found.get("mountpoint"),
        "device": found.get("name"),
        "type": found.get("type"),
        "read_only": None,
        "size": size,
        "free": free,
        "available": free,
        "inodes": None,
        "inodes_free": None,
    }
