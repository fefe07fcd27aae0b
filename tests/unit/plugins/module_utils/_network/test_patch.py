# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what libvirt holds and what a task says to what is wanted."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.checks import check_config, check_options
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.config import (
    describe,
    read_config,
    same_network,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.patch import patched
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import attribute_at, dump
from tests.unit.plugins.module_utils._network.examples import BRIDGE, LIVE, STORED, ip, network

HOST = {"mac": "52:54:00:aa:00:01", "name": "x", "ip": "10.91.1.5"}


def changed(options: dict[str, Any], purge: tuple[str, ...] = (), text: str | None = None) -> dict[str, Any]:
    """The paths that the options change, with the new values."""
    before = network(text) if text else network()
    return {change.path: change.after for change in describe(before, patched(before, options, purge))}


def dhcp(options: dict[str, Any], purge: tuple[str, ...] = ()) -> dict[str, Any]:
    """The DHCP settings of the IPv4 address afterwards."""
    config = read_config(patched(network(), {"ips": [ip(options)]}, purge))
    result: dict[str, Any] = config["ips"][0]["dhcp"]
    return result


def test_what_libvirt_holds_reads_as_options_that_change_nothing() -> None:
    config = read_config(network())
    config["bridge"] = "virbr1"
    assert dump(patched(network(), config, ["ips", "dhcp_hosts", "dns_hosts"])) == dump(network())


def test_naming_nothing_touches_nothing() -> None:
    assert dump(patched(network(), {}, [])) == dump(network())


def test_what_libvirt_fills_in_when_a_network_starts_is_no_difference() -> None:
    assert same_network(network(), network(LIVE))
    assert changed({"nat": {"port": {"start": 1024, "end": 65535}}}) == {}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"mtu": 1400}, {"mtu": 1400}),
        ({"stp": False}, {"stp": False}),
        ({"forward_dev": "eth0"}, {"forward_dev": "eth0"}),
        ({"mode": "routed"}, {"mode": "routed", "nat.ipv6": None, "nat.port.start": None, "nat.port.end": None}),
        ({"domain": {"local_only": True}}, {"domain.local_only": True}),
        ({"dns": {"enable": False}}, {"dns.enable": False}),
        ({"dns": {"forwarders": [{"address": "1.1.1.1"}]}}, {"dns.forwarders": ["1.1.1.1"]}),
        ({"dns": {"hosts": [{"ip": "10.91.1.9", "names": ["n"]}]}}, {"dns.hosts[10.91.1.9].names": ["n"]}),
        ({"dns": {"txt": [{"name": "a", "value": "c"}]}}, {"dns.txt[a].value": "c"}),
        ({"nat": {"port": {"start": 2000, "end": 3000}}}, {"nat.port.start": 2000, "nat.port.end": 3000}),
        ({"ips": [{"address": "fd00:92::1/64"}]}, {"ips[fd00:92::1/64]": True}),
        (
            {"ips": [{"address": "fd00:91::1/64", "dhcp": {"hosts": [{"name": "s", "ip": "fd00:91::3"}]}}]},
            {"ips[fd00:91::1/64].dhcp.hosts[s].ip": "fd00:91::3"},
        ),
        ({"ips": [{"address": "10.91.1.1/24", "tftp_root": "/t"}]}, {"ips[10.91.1.1/24].tftp_root": "/t"}),
    ],
)
def test_a_named_option_changes_and_nothing_else(options: dict[str, Any], expected: dict[str, Any]) -> None:
    assert changed(options) == expected


def test_no_difference_goes_without_a_word() -> None:
    again = "<host ip='10.91.1.9'><hostname>h</hostname></host></dns>"
    twice = network(STORED.replace("</dns>", again))
    assert [change.path for change in describe(network(), twice)] == ["dns.hosts[10.91.1.9 #2].names"]
    other_mac = network(STORED.replace("52:54:00:12:17:6a", "52:54:00:12:17:6b"))
    assert [change.path for change in describe(network(), other_mac)] == ["xml"]


def test_devices_of_the_host_are_shown_where_no_option_stands_for_them() -> None:
    macvtap = "<network><forward mode='bridge'><interface dev='{}'/></forward></network>"
    before, after = (network(macvtap.format(name)) for name in ("eth0", "eth1"))
    assert [(change.path, change.after) for change in describe(before, after)] == [("xml.forward.dev", "eth1")]


def test_the_functions_that_an_active_network_found_on_its_device_are_no_difference() -> None:
    stored = "<network><forward mode='passthrough'><pf dev='eth0'/></forward></network>"
    live = stored.replace("</forward>", "<interface dev='eth0v0' connections='1'/><interface dev='eth0v1'/></forward>")
    assert describe(network(stored), network(live)) == []


@pytest.mark.parametrize(
    "options",
    [
        {"stp": True},
        {"domain": {"local_only": False}},
        {"dns": {"enable": True}},
        {"dns": {"srv": [{"service": "s", "protocol": "tcp", "target": "t", "priority": 0, "weight": 0}]}},
    ],
)
def test_a_default_that_is_not_written_is_no_change(options: dict[str, Any]) -> None:
    text = STORED.replace("</dns>", "<srv service='s' protocol='tcp' target='t'/></dns>")
    assert changed(options, text=text) == {}


def test_identity_is_kept() -> None:
    target = patched(network(), {"mode": "routed", "mtu": 1400}, [])
    assert target.findtext("uuid") == "899ee747-8323-4ba8-98f9-a643d8b2a509"
    assert attribute_at(target, "mac", "address") == "52:54:00:12:17:6a"
    assert attribute_at(target, "bridge", "name") == "virbr1"


def test_a_new_host_leaves_the_others() -> None:
    new = {"mac": "52:54:00:aa:00:02", "ip": "10.91.1.6"}
    assert dhcp({"hosts": [new]})["hosts"] == [HOST, new]


def test_purge_removes_what_is_not_listed() -> None:
    new = {"mac": "52:54:00:aa:00:02", "ip": "10.91.1.6"}
    assert dhcp({"hosts": [new]}, ("dhcp_hosts",))["hosts"] == [new]
    assert dhcp({"hosts": [], "ranges": []}, ("dhcp_hosts", "dhcp_ranges")) == {"ranges": [], "hosts": []}


@pytest.mark.parametrize(
    "wanted",
    [
        {"mac": "52:54:00:aa:00:01", "ip": "10.91.1.6"},
        {"name": "y", "ip": "10.91.1.5"},
        {"name": "x", "ip": "10.91.1.7"},
    ],
)
def test_a_host_is_known_by_mac_else_address_else_name(wanted: dict[str, Any]) -> None:
    assert dhcp({"hosts": [wanted]})["hosts"] == [{**HOST, **wanted}]


@pytest.mark.parametrize(
    ("wanted", "clash"),
    [({"ip": "10.91.1.5"}, "ip 10.91.1.5"), ({"name": "x", "ip": "10.91.1.50"}, "name x")],
)
def test_a_host_does_not_take_over_what_another_machine_has(wanted: dict[str, Any], clash: str) -> None:
    wanted = {"mac": "52:54:00:aa:00:99", **wanted}
    options = {"ips": [ip({"hosts": [wanted]})]}
    with pytest.raises(Failure, match=f"two hosts have the {clash}"):
        check_config(read_config(patched(network(), options, [])), options)
    assert dhcp({"hosts": [wanted]}, ("dhcp_hosts",))["hosts"] == [wanted]


def test_two_hosts_can_swap_their_addresses() -> None:
    other = {"mac": "52:54:00:aa:00:02", "ip": "10.91.1.6"}
    both = patched(network(), {"ips": [ip({"hosts": [other]})]}, [])
    swapped = [{"mac": HOST["mac"], "ip": "10.91.1.6"}, {"mac": other["mac"], "ip": "10.91.1.5"}]
    hosts = read_config(patched(both, {"ips": [ip({"hosts": swapped})]}, []))["ips"][0]["dhcp"]["hosts"]
    assert [(host["mac"], host["ip"]) for host in hosts] == [(host["mac"], host["ip"]) for host in swapped]


def test_an_overlapping_range_changes_the_one_that_is_there() -> None:
    assert dhcp({"ranges": [{"start": "10.91.1.10", "end": "10.91.1.30"}]})["ranges"] == [
        {"start": "10.91.1.10", "end": "10.91.1.30"}
    ]


def test_an_address_in_the_same_network_changes_the_one_that_is_there() -> None:
    config = read_config(patched(network(), {"ips": [{"address": "10.91.1.254/24"}]}, []))
    assert [entry["address"] for entry in config["ips"]] == ["10.91.1.254/24", "fd00:91::1/64"]
    assert config["ips"][0]["dhcp"]["hosts"] == [HOST]


def test_an_ipv6_address_gets_its_family() -> None:
    target = patched(network(), {"ips": [{"address": "fd00:92::1/64"}]}, [])
    assert target.findall("ip")[2].attrib == {"family": "ipv6", "address": "fd00:92::1", "prefix": "64"}


def test_a_bridge_of_the_host_takes_the_place_of_all_that_libvirt_does() -> None:
    assert read_config(patched(network(), {"mode": "bridge", "bridge": "br0"}, [])) == {
        "mode": "bridge",
        "bridge": "br0",
    }
    isolated = patched(network(BRIDGE), {"mode": "isolated"}, [])
    assert isolated.find("bridge") is None, "libvirt must not try to make the bridge of the host"
    assert isolated.find("forward") is None


def test_a_change_of_the_mode_takes_vlans_and_routes_away() -> None:
    switch = BRIDGE.replace(
        "</network>",
        "<virtualport type='openvswitch'/><portgroup name='p'><vlan><tag id='4'/></vlan></portgroup></network>",
    )
    options = {"mode": "nat", "ips": [{"address": "10.92.1.1/24"}]}
    nat = patched(network(switch), options, [])
    assert [element.tag for element in nat.iter() if element.tag in ("vlan", "tag", "virtualport")] == []
    assert nat.find("portgroup") is not None
    routed = network(
        STORED.replace("</network>", "<route address='10.66.0.0' prefix='24' gateway='10.91.1.2'/></network>")
    )
    assert patched(routed, {"mode": "bridge", "bridge": "br0"}, []).find("route") is None


def test_the_outgoing_device_is_written_in_both_of_libvirts_forms_and_taken_away_from_both() -> None:
    target = patched(network(), {"forward_dev": "eth0"}, [])
    assert attribute_at(target, "forward", "dev") == attribute_at(target, "forward/interface", "dev") == "eth0"
    assert same_network(patched(target, {"forward_dev": ""}, []), network())


def test_no_outgoing_device_does_not_make_an_isolated_network_nat() -> None:
    isolated = patched(network(), {"mode": "isolated"}, [])
    assert patched(isolated, {"forward_dev": ""}, []).find("forward") is None


@pytest.mark.parametrize(
    ("options", "mode", "sentence"),
    [
        ({"nat": {}}, "routed", "nat: this needs mode=nat"),
        ({"forward_dev": "eth0"}, "isolated", "forward_dev: this needs"),
        ({"forward_dev": "eth0"}, "open", "forward_dev: this needs"),
        ({"ips": []}, "bridge", "ips: a network with mode=bridge leaves this to the bridge"),
        ({"mtu": 1400}, "hostdev", "mtu: a network with mode=hostdev"),
    ],
)
def test_options_must_fit_the_mode(options: dict[str, Any], mode: str, sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        check_options(options, mode)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mode": "bridge"}, "mode=bridge needs the option bridge"),
        (
            {"ips": [ip({"ranges": [{"start": "10.91.2.1", "end": "10.91.2.5"}]})]},
            r"ips\[10.91.1.1/24\].dhcp.ranges: 10.91.2.1 is not inside the network 10.91.1.0/24",
        ),
        (
            {"ips": [ip({"ranges": [{"start": "10.91.1.200", "end": "10.91.1.255"}]})]},
            "10.91.1.255 is the broadcast address",
        ),
        ({"ips": [ip({"hosts": [{"name": "y", "ip": "10.9.1.1"}]})]}, "10.9.1.1 is not inside"),
        (
            {"ips": [ip({"hosts": [{**HOST, "ip": "10.91.1.7"}, {"mac": "52:54:00:aa:00:03", "ip": "10.91.1.7"}]})]},
            "two hosts have the ip 10.91.1.7",
        ),
        (
            {
                "ips": [
                    ip({"ranges": [{"start": f"10.91.1.{at}", "end": f"10.91.1.{at + 9}"} for at in (30, 35)]}),
                ]
            },
            "overlap. Choose others; dhcp_ranges in purge",
        ),
        ({"dns": {"enable": False}}, "libvirt takes no hosts and no txt. .*, and dns_hosts, dns_txt in purge, remove"),
        ({"ips": [{"address": "fd00::1/64", "dhcp": {"bootp": {"file": "x"}}}]}, "libvirt serves boot files only"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        check_config(read_config(patched(network(), options, [])), options)


def test_a_local_domain_needs_a_name() -> None:
    options = {"domain": {"local_only": True}}
    nameless = network(STORED.replace("<domain name='p.test'/>", ""))
    with pytest.raises(Failure, match="domain.local_only needs the name of the domain"):
        check_config(read_config(patched(nameless, options, [])), options)
    check_config(read_config(patched(network(), options, [])), options)


def test_nat_needs_an_address() -> None:
    target = patched(network(), {"ips": []}, ["ips"])
    with pytest.raises(Failure, match="mode=nat needs at least one address in ips"):
        check_config(read_config(target), {"ips": []})
