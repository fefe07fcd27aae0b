# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interfaces and addresses, asked of the kernel over rtnetlink(7), and routes and name servers."""

import socket
import struct
from typing import Any, Dict, Iterator, List, Tuple

from . import text

_GET_LINK, _GET_ADDRESS = 18, 22
_REQUEST_DUMP = 0x301
_DONE, _ERROR = 3, 2
_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_OPERSTATE = 1, 3, 4, 16
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_SCOPES = {0: "global", 200: "site", 253: "link", 254: "host"}
# RFC 2863, in the numbers of linux/if.h
_STATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")


def network_info() -> Dict[str, Any]:
    """The interfaces with their addresses, the default gateways and the name servers."""
    links = dict(_links())
    for index, address in _addresses():
        if index in links:
            links[index]["addresses"].append(address)
    return {"interfaces": list(links.values()), "gateways": _gateways(), "nameservers": _nameservers()}


def _links() -> Iterator[Tuple[int, Dict[str, Any]]]:
    for body in _dump(_GET_LINK):
        _family, _kind, index, flags, _change = _LINK.unpack_from(body)
        found = _attributes(body[_LINK.size :])
        mac = found.get(_IFLA_ADDRESS, b"")
        state = found.get(_IFLA_OPERSTATE, b"\0")[0]
        yield (
            index,
            {
                "name": found.get(_IFLA_IFNAME, b"").rstrip(b"\0").decode("utf-8", "replace"),
                "mac": ":".join(f"{byte:02x}" for byte in mac),
                "mtu": int.from_bytes(found.get(_IFLA_MTU, b""), _byte_order()),
                "up": bool(flags & 1),
                "state": _STATES[state] if state < len(_STATES) else "unknown",
                "addresses": [],
            },
        )


def _addresses() -> Iterator[Tuple[int, Dict[str, Any]]]:
    for body in _dump(_GET_ADDRESS):
        family, prefix, _flags, scope, index = _ADDRESS.unpack_from(body)
        if family not in (socket.AF_INET, socket.AF_INET6):
            continue
        found = _attributes(body[_ADDRESS.size :])
        # On a point-to-point link the local address is the one that is ours.
        packed = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS)
        if packed:
            yield (
                index,
                {
                    "address": socket.inet_ntop(family, packed),
                    "family": "ipv4" if family == socket.AF_INET else "ipv6",
                    "prefix": prefix,
                    "scope": _SCOPES.get(scope, str(scope)),
                },
            )


def _dump(kind: int) -> Iterator[bytes]:
    """Ask for all objects of a kind; the body of each message."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as netlink:
        netlink.settimeout(5)
        netlink.bind((0, 0))
        netlink.send(_HEADER.pack(_HEADER.size + _LINK.size, kind, _REQUEST_DUMP, 1, 0) + bytes(_LINK.size))
        while True:
            received = netlink.recv(64 * 1024)
            while len(received) >= _HEADER.size:
                size, message, _flags, _sequence, _port = _HEADER.unpack_from(received)
                if message == _ERROR:
                    raise OSError(-struct.unpack_from("=i", received, _HEADER.size)[0], "rtnetlink")
                if message == _DONE or size < _HEADER.size:
                    return
                yield received[_HEADER.size : size]
                received = received[_aligned(size) :]


def _attributes(body: bytes) -> Dict[int, bytes]:
    found = {}
    while len(body) >= _ATTRIBUTE.size:
        size, kind = _ATTRIBUTE.unpack_from(body)
        if size < _ATTRIBUTE.size:
            break
        found[kind] = body[_ATTRIBUTE.size : size]
        body = body[_aligned(size) :]
    return found


def _aligned(size: int) -> int:
    return (size + 3) & ~3


def _byte_order() -> Any:
    return "little" if struct.pack("=H", 1) == b"\1\0" else "big"


def _gateways() -> List[Dict[str, str]]:
    found = []
    for line in text.read("/proc/net/route").splitlines()[1:]:
        words = line.split()
        if len(words) > 7 and words[1] == words[7] == "00000000":
            packed = struct.pack("=I", int(words[2], 16))
            found.append({"interface": words[0], "address": socket.inet_ntop(socket.AF_INET, packed)})
    for line in text.read("/proc/net/ipv6_route").splitlines():
        words = line.split()
        if len(words) == 10 and words[0] == "0" * 32 and words[1] == "00" and words[9] != "lo":
            packed = bytes.fromhex(words[4])
            found.append({"interface": words[9], "address": socket.inet_ntop(socket.AF_INET6, packed)})
    return found


def _nameservers() -> List[str]:
    lines = (line.split() for line in text.read("/etc/resolv.conf").splitlines())
    return [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]
