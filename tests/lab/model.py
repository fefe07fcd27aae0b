# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person asks for: the hosts of a lab, and the names and addresses that follow from it.

Pure: nothing here touches the machine.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from .errors import LabError

RELEASES = {"bookworm": "Debian 12", "trixie": "Debian 13"}
MAX_HOSTS = 50
# Interface names have at most 15 characters, so they carry the lab's number and not its name.
_NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")


@dataclass(frozen=True)
class Host:
    """One hypervisor to be.

    :param name: host name, also what C(virsh hostname) says inside.
    :param release: C(bookworm) (libvirt 9.0) or C(trixie) (libvirt 11.3).
    :param auth: what the daemon asks for over TCP and TLS: C(none), or C(sasl) for a user and password.
    :param tls: offer TLS too. Clients need the lab's certificate.
    :param ssh: offer SSH too. Clients need the lab's key.
    """

    name: str
    release: str = "bookworm"
    auth: str = "none"
    tls: bool = False
    ssh: bool = False

    def __post_init__(self) -> None:
        check_name("host", self.name)
        if self.release not in RELEASES:
            raise LabError(f"host {self.name!r}: release {self.release!r} is not one of {', '.join(RELEASES)}")

        if self.auth not in ("none", "sasl"):
            raise LabError(f"host {self.name!r}: auth {self.auth!r} is neither 'none' nor 'sasl'")

    def as_dict(self) -> dict[str, Any]:
        """Return what the state file keeps of this host."""
        return asdict(self)


def parse_host(text: str) -> Host:
    """Read C(NAME[:RELEASE][,sasl][,tls][,ssh]), the way hosts are written on the command line."""
    head, *extras = text.split(",")
    name, _colon, release = head.partition(":")
    if unknown := sorted(set(extras) - {"sasl", "tls", "ssh"}):
        raise LabError(f"host {text!r}: {', '.join(unknown)} is not one of sasl, tls, ssh")
    return Host(
        name,
        release=release or "bookworm",
        auth="sasl" if "sasl" in extras else "none",
        tls="tls" in extras,
        ssh="ssh" in extras,
    )


def check_name(kind: str, name: str) -> str:
    """Return C(name), or raise LabError if it cannot be a host name."""
    if not _NAME.fullmatch(name):
        raise LabError(
            f"{kind} name {name!r} must be lower-case letters, digits and '-', start with a letter, "
            "and have at most 30 characters"
        )
    return name


def check_hosts(hosts: list[Host]) -> None:
    """Raise LabError unless there are between 1 and MAX_HOSTS hosts of different names."""
    names = [host.name for host in hosts]
    if not 1 <= len(names) <= MAX_HOSTS:
        raise LabError(f"a lab has 1 to {MAX_HOSTS} hosts, not {len(names)}")
    if len(set(names)) != len(names):
        raise LabError(f"two hosts of a lab cannot have the same name: {', '.join(names)}")


def bridge_name(number: int) -> str:
    """Return the bridge of lab C(number)."""
    return f"kvmlab{number}"


def link_name(number: int, index: int) -> str:
    """Return the end of host C(index)'s link that stays outside, a port of the bridge."""
    return f"kvmlab{number}h{index}"


def namespace_name(lab: str, host: str) -> str:
    """Return the network namespace of a host, as C(ip netns) lists it."""
    return f"kvmlab-{lab}-{host}"


def subnet(number: int) -> str:
    """Return the network of lab C(number)."""
    return f"10.77.{number}.0/24"


def gateway(number: int) -> str:
    """Return the address of the bridge of lab C(number): the machine itself."""
    return f"10.77.{number}.1"


def host_address(number: int, index: int) -> str:
    """Return the address of host C(index) (0 is the first) of lab C(number)."""
    return f"10.77.{number}.{index + 2}"


def guest_prefix(index: int) -> str:
    """Return the first three parts of the guests' network behind host C(index).

    Each host has its own, so that guests of two hosts never have the same address.
    """
    return f"192.168.{150 + index}"
