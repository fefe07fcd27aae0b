# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cables of a lab: a bridge, and for each host a network namespace with one link to it."""

from __future__ import annotations

import ipaddress
import json

from .errors import LabError
from .model import bridge_name, gateway, guest_prefix, host_address, link_name, namespace_name, subnet
from .run import run
from .state import State, load_all

_NUMBERS = range(255)


def free_number() -> int:
    """Return the lowest lab number whose subnet and bridge nobody on this machine uses."""
    taken = {state.number for state in load_all()}
    links = {link["ifname"] for link in json.loads(run(["ip", "-json", "link"]).stdout)}
    routes = json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"]).stdout or "[]")
    return choose_number(taken, links, [route["dst"] for route in routes])


def choose_number(taken: set[int], links: set[str], destinations: list[str]) -> int:
    """Return the lowest number that is not taken, has no bridge, and no route into its subnet. Pure.

    :raises LabError: all are in use.
    """
    networks = [ipaddress.ip_network(text) for text in destinations if text[:1].isdigit()]
    for number in _NUMBERS:
        wanted = ipaddress.ip_network(subnet(number))
        in_use = any(network.prefixlen >= 16 and network.overlaps(wanted) for network in networks)
        if number not in taken and bridge_name(number) not in links and not in_use:
            return number
    raise LabError("all of 10.77.0.0/16 is in use; take a lab down first (`python -m tests.lab status` lists them)")


def create_bridge(number: int) -> None:
    """Make the bridge and give the machine its address on it."""
    bridge = bridge_name(number)
    run(["ip", "link", "add", bridge, "type", "bridge", "stp_state", "0", "forward_delay", "0"])
    run(["ip", "address", "add", f"{gateway(number)}/24", "dev", bridge])
    run(["ip", "link", "set", bridge, "up"])


def create_host_link(state: State, index: int) -> None:
    """Make a host's network namespace, with an address on the bridge."""
    outer, inner = link_name(state.number, index), f"{link_name(state.number, index)}i"
    namespace = namespace_name(state.name, state.hosts[index].name)
    run(["ip", "netns", "add", namespace])
    run(["ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", namespace])
    run(["ip", "link", "set", outer, "master", bridge_name(state.number), "up"])
    inside = ["ip", "-netns", namespace]
    run([*inside, "link", "set", "lo", "up"])
    run([*inside, "link", "set", inner, "name", "eth0"])
    run([*inside, "address", "add", f"{host_address(state.number, index)}/24", "dev", "eth0"])
    run([*inside, "link", "set", "eth0", "up"])


def remove_all(state: State) -> None:
    """Remove the links, namespaces and the bridge of a lab, as many of them as there are."""
    for index, host in enumerate(state.hosts):
        run(["ip", "link", "delete", link_name(state.number, index)], check=False)
        run(["ip", "netns", "delete", namespace_name(state.name, host.name)], check=False)
    run(["ip", "link", "delete", bridge_name(state.number)], check=False)


def leftovers(state: State) -> list[str]:
    """Return the names of what :func:`remove_all` should have removed and is still there."""
    links = {link["ifname"] for link in json.loads(run(["ip", "-json", "link"]).stdout)}
    spaces = {line.split()[0] for line in run(["ip", "netns"]).stdout.splitlines() if line}
    ours = {bridge_name(state.number)} | {link_name(state.number, index) for index in range(len(state.hosts))}
    ours_spaces = {namespace_name(state.name, host.name) for host in state.hosts}
    return sorted(links & ours) + sorted(spaces & ours_spaces)


def default_network_xml(index: int) -> str:
    """Return the C(default) NAT network of host C(index)."""
    prefix = guest_prefix(index)
    return f"""<network>
  <name>default</name>
  <forward mode='nat'/>
  <bridge name='virbr0' stp='off' delay='0'/>
  <ip address='{prefix}.1' netmask='255.255.255.0'>
    <dhcp><range start='{prefix}.2' end='{prefix}.254'/></dhcp>
  </ip>
</network>
"""
