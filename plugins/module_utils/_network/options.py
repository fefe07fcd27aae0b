# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of a network: what a task may say, in one spelling, checked. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._mac import clean_mac
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.addresses import (
    check_order,
    clean_address,
    clean_interface,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.entries import PURGES

_RANGE: dict[str, Any] = {
    "start": {"type": "str", "required": True},
    "end": {"type": "str", "required": True},
}
_PORTS: dict[str, Any] = {
    "start": {"type": "int", "required": True},
    "end": {"type": "int", "required": True},
}
_NAT: dict[str, Any] = {
    "ipv6": {"type": "bool"},
    "address": {"type": "dict", "options": _RANGE},
    "port": {"type": "dict", "options": _PORTS},
}
_DOMAIN: dict[str, Any] = {"name": {"type": "str"}, "local_only": {"type": "bool"}}
_FORWARDER: dict[str, Any] = {"address": {"type": "str"}, "domain": {"type": "str"}}
_DNS_HOST: dict[str, Any] = {
    "ip": {"type": "str", "required": True},
    "names": {"type": "list", "elements": "str", "required": True},
}
_TXT: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "value": {"type": "str", "required": True},
}
_SRV: dict[str, Any] = {
    "service": {"type": "str", "required": True},
    "protocol": {"type": "str", "required": True},
    "domain": {"type": "str"},
    "target": {"type": "str"},
    "port": {"type": "int"},
    "priority": {"type": "int"},
    "weight": {"type": "int"},
}
_DNS: dict[str, Any] = {
    "enable": {"type": "bool"},
    "forward_plain_names": {"type": "bool"},
    "forwarders": {
        "type": "list",
        "elements": "dict",
        "options": _FORWARDER,
        "required_one_of": [("address", "domain")],
    },
    "hosts": {"type": "list", "elements": "dict", "options": _DNS_HOST},
    "txt": {"type": "list", "elements": "dict", "options": _TXT},
    "srv": {
        "type": "list",
        "elements": "dict",
        "options": _SRV,
        "required_by": {"port": "target", "priority": "target", "weight": "target"},
    },
}
_DHCP_HOST: dict[str, Any] = {
    "mac": {"type": "str"},
    "id": {"type": "str"},
    "name": {"type": "str"},
    "ip": {"type": "str", "required": True},
}
_BOOTP: dict[str, Any] = {"file": {"type": "str", "required": True}, "server": {"type": "str"}}
_DHCP: dict[str, Any] = {
    "ranges": {"type": "list", "elements": "dict", "options": _RANGE},
    "hosts": {
        "type": "list",
        "elements": "dict",
        "options": _DHCP_HOST,
        "required_one_of": [("mac", "id", "name")],
        "mutually_exclusive": [("mac", "id")],
    },
    "bootp": {"type": "dict", "options": _BOOTP},
}
_IP: dict[str, Any] = {
    "address": {"type": "str", "required": True},
    "tftp_root": {"type": "str"},
    "dhcp": {"type": "dict", "options": _DHCP},
}

CONFIG_ARGUMENTS: dict[str, Any] = {
    "mode": {"type": "str", "choices": ["nat", "routed", "open", "isolated", "bridge"]},
    "bridge": {"type": "str"},
    "mtu": {"type": "int"},
    "stp": {"type": "bool"},
    "forward_dev": {"type": "str"},
    "nat": {"type": "dict", "options": _NAT},
    "domain": {"type": "dict", "options": _DOMAIN},
    "dns": {"type": "dict", "options": _DNS},
    "ips": {"type": "list", "elements": "dict", "options": _IP},
}
ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str"},
    "uuid": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "started", "stopped", "absent"], "default": "started"},
    **CONFIG_ARGUMENTS,
    "autostart": {"type": "bool"},
    "xml": {"type": "str"},
    "purge": {"type": "list", "elements": "str", "choices": list(PURGES), "default": []},
    "apply": {"type": "str", "choices": ["auto", "live", "config"], "default": "auto"},
    "allow_restart": {"type": "bool", "default": False},
}

_Clean = Callable[[Any, str], Any]


def clean_options(params: dict[str, Any]) -> dict[str, Any]:
    """What the task says about the configuration, in one spelling; what it does not say is left out.

    :param params: the task's options without those that are None (see ``named`` in _task.py).
    :raises Failure: for a value that cannot be right, with the option's name.
    """
    options = {name: params[name] for name in CONFIG_ARGUMENTS if name in params}
    if "bridge" in options:
        _check_device(options["bridge"], "bridge")
    if not 68 <= options.get("mtu", 1500) <= 65535:
        raise Failure(f"mtu: {options['mtu']} is not a frame size; it is from 68 to 65535.")
    if "nat" in options:
        options["nat"] = _clean_nat(options["nat"])
    if "dns" in options:
        options["dns"] = _clean_dns(options["dns"])
    if "ips" in options:
        options["ips"] = [_clean_ip(ip, f"ips[{at}]") for at, ip in enumerate(options["ips"])]
    return options


def check_purge(purge: Iterable[str], options: dict[str, Any]) -> None:
    """Refuse to empty a list that the task does not give.

    :raises Failure: with the list that is missing.
    """
    dns = options.get("dns", {})
    dhcps = [ip.get("dhcp", {}) for ip in options.get("ips", [])]
    given = {
        "ips": "ips" in options,
        "dhcp_ranges": any("ranges" in dhcp for dhcp in dhcps),
        "dhcp_hosts": any("hosts" in dhcp for dhcp in dhcps),
        **{f"dns_{name}": name in dns for name in ("forwarders", "hosts", "txt", "srv")},
    }
    for word in purge:
        if not given[word]:
            raise Failure(
                f"purge names {word}, but the task gives no list of them. "
                "List what is to stay; an empty list removes them all."
            )


def _clean_nat(nat: dict[str, Any]) -> dict[str, Any]:
    cleaned = dict(nat)
    if "address" in nat:
        cleaned["address"] = _clean_range(nat["address"], "nat.address")
    port = nat.get("port")
    if port is not None and not 0 < port["start"] <= port["end"] <= 65535:
        raise Failure(f"nat.port: {port['start']} - {port['end']} is no range of ports from 1 to 65535.")
    return cleaned


def _clean_dns(dns: dict[str, Any]) -> dict[str, Any]:
    cleaned = dict(dns)
    for name in ("hosts", "forwarders"):
        field = "ip" if name == "hosts" else "address"
        if name in dns:
            entries = enumerate(dns[name])
            cleaned[name] = [_clean(entry, f"dns.{name}[{at}]", {field: clean_address}) for at, entry in entries]
    for at, entry in enumerate(dns.get("hosts", [])):
        if not entry["names"]:
            raise Failure(f"dns.hosts[{at}]: give {entry['ip']} at least one name.")
    for at, entry in enumerate(dns.get("txt", [])):
        _check_txt(entry, f"dns.txt[{at}]")
    return cleaned


def _check_txt(entry: dict[str, Any], path: str) -> None:
    if not entry["name"] or set(entry["name"]) & set(" ,"):
        raise Failure(
            f"{path}.name: '{entry['name']}' is no name for a record; it needs one without spaces and commas."
        )
    if not entry["value"]:
        raise Failure(f"{path}.value: '{entry['name']}' has no text. Give it one, or leave the record out.")


def _clean_ip(ip: dict[str, Any], path: str) -> dict[str, Any]:
    cleaned = _clean(ip, path, {"address": clean_interface})
    dhcp = ip.get("dhcp")
    if dhcp is None:
        return cleaned
    cleaned["dhcp"] = dict(dhcp)
    for name, clean in (("ranges", _clean_range), ("hosts", _clean_host)):
        if name in dhcp:
            entries = enumerate(dhcp[name])
            cleaned["dhcp"][name] = [clean(entry, f"{path}.dhcp.{name}[{at}]") for at, entry in entries]
    return cleaned


def _clean_range(entry: dict[str, Any], path: str) -> dict[str, Any]:
    cleaned = _clean(entry, path, {"start": clean_address, "end": clean_address})
    check_order(cleaned["start"], cleaned["end"], path)
    return cleaned


def _clean_host(entry: dict[str, Any], path: str) -> dict[str, Any]:
    host = _clean(entry, path, {"mac": clean_mac, "ip": clean_address, "id": lambda text, _option: text.lower()})
    if ":" in host["ip"] and "mac" in host:
        raise Failure(f"{path}: an IPv6 host is known by its id (DUID) or name, not by its mac.")
    if ":" not in host["ip"] and "id" in host:
        raise Failure(f"{path}: an IPv4 host is known by its mac or name; an id (DUID) is for IPv6.")
    return host


def _clean(entry: dict[str, Any], path: str, cleaners: dict[str, _Clean]) -> dict[str, Any]:
    return {
        name: cleaners[name](value, f"{path}.{name}") if name in cleaners else value for name, value in entry.items()
    }


def _check_device(name: str, option: str) -> None:
    # The kernel's IFNAMSIZ is 16 with the terminating zero.
    if not 0 < len(name) <= 15 or "/" in name or any(letter.isspace() for letter in name):
        raise Failure(
            f"{option}: '{name}' is not a name for a network device: use 1 to 15 characters without spaces and slashes."
        )
