# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changes an active network, and what has to wait."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.config import describe, same_network
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.live import plan_updates
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.patch import patched
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, dump, parse
from tests.unit.plugins.module_utils._network.examples import LIVE, ip, network


def updates(options: dict[str, Any], purge: tuple[str, ...] = ()) -> list[tuple[str, str, int, dict[str, str]]]:
    """Command, section, index and attributes of each call; and nothing may be left to wait."""
    live = network(LIVE)
    target = patched(live, options, purge)
    plan = plan_updates(live, target)
    assert same_network(plan.after, target)
    return [(update.command, update.section.name, update.index, update.entry.attrib) for update in plan.updates]


def waiting(options: dict[str, Any]) -> list[str]:
    """The paths that an update cannot reach."""
    live = network(LIVE)
    target = patched(live, options, [])
    return [change.path for change in describe(plan_updates(live, target).after, target)]


def test_nothing_to_change_makes_no_call() -> None:
    assert updates({}) == []


def test_a_host_is_added_to_its_address() -> None:
    host = {"mac": "52:54:00:aa:00:02", "ip": "10.91.1.6"}
    assert updates({"ips": [ip({"hosts": [host]})]}) == [("ADD_LAST", "IP_DHCP_HOST", 0, host)]


def test_a_host_of_the_second_address_names_it_by_its_position() -> None:
    options = {"ips": [{"address": "fd00:91::1/64", "dhcp": {"hosts": [{"name": "s", "ip": "fd00:91::3"}]}}]}
    assert updates(options) == [("ADD_LAST", "IP_DHCP_HOST", 1, {"name": "s", "ip": "fd00:91::3"})]


def test_a_host_that_keeps_its_mac_is_modified_in_one_call() -> None:
    options = {"ips": [ip({"hosts": [{"mac": "52:54:00:aa:00:01", "ip": "10.91.1.6"}]})]}
    # libvirt finds the entry by its MAC in either case; what the XML holds is left as it is.
    assert updates(options) == [
        ("MODIFY", "IP_DHCP_HOST", 0, {"mac": "52:54:00:AA:00:01", "name": "x", "ip": "10.91.1.6"})
    ]


def test_a_range_is_removed_before_its_successor_is_added() -> None:
    options = {"ips": [ip({"ranges": [{"start": "10.91.1.10", "end": "10.91.1.30"}]})]}
    assert updates(options) == [
        ("DELETE", "IP_DHCP_RANGE", 0, {"start": "10.91.1.10", "end": "10.91.1.20"}),
        ("ADD_LAST", "IP_DHCP_RANGE", 0, {"start": "10.91.1.10", "end": "10.91.1.30"}),
    ]


def test_dns_records_are_replaced() -> None:
    options = {"dns": {"txt": [{"name": "a", "value": "c"}], "hosts": []}}
    assert updates(options, ("dns_hosts",)) == [
        ("DELETE", "DNS_HOST", -1, {"ip": "10.91.1.9"}),
        ("DELETE", "DNS_TXT", -1, {"name": "a"}),
        ("ADD_LAST", "DNS_TXT", -1, {"name": "a", "value": "c"}),
    ]


def test_the_outgoing_device_is_changed() -> None:
    assert updates({"forward_dev": "eth0"}) == [("ADD_LAST", "FORWARD_INTERFACE", -1, {"dev": "eth0"})]


def test_a_portgroup_of_raw_xml_is_modified_by_its_name() -> None:
    live = network(LIVE.replace("</network>", "<portgroup name='a'/></network>"))
    target = network(LIVE.replace("</network>", "<portgroup name='a' default='yes'/></network>"))
    update = plan_updates(live, target).updates[0]
    assert (update.command, update.section.name) == ("MODIFY", "PORTGROUP")


@pytest.mark.parametrize(
    ("options", "paths"),
    [
        ({"mtu": 1400}, ["mtu"]),
        ({"mode": "routed"}, ["mode", "nat.ipv6", "nat.port.start", "nat.port.end"]),
        ({"dns": {"forwarders": [{"address": "1.1.1.1"}]}}, ["dns.forwarders"]),
        ({"domain": {"name": "other"}}, ["domain.name"]),
        ({"ips": [{"address": "fd00:92::1/64"}]}, ["ips[fd00:92::1/64]"]),
        ({"ips": [{"address": "fd00:91::1/48"}]}, ["ips[fd00:91::1/48]", "ips[fd00:91::1/64]"]),
        ({"ips": [ip({"bootp": {"file": "x"}})]}, ["ips[10.91.1.1/24].dhcp.bootp.file"]),
    ],
)
def test_the_rest_waits(options: dict[str, Any], paths: list[str]) -> None:
    assert waiting(options) == paths


def test_what_libvirt_can_change_changes_even_beside_what_has_to_wait() -> None:
    live = network(LIVE)
    host = {"mac": "52:54:00:aa:00:02", "ip": "10.91.1.6"}
    target = patched(live, {"mtu": 1400, "ips": [ip({"hosts": [host]})]}, [])
    plan = plan_updates(live, target)
    assert [update.command for update in plan.updates] == ["ADD_LAST"]
    assert [change.path for change in describe(plan.after, target)] == ["mtu"]


def test_no_call_is_made_for_an_address_that_the_active_network_does_not_have() -> None:
    live = network(LIVE)
    options = {"ips": [{"address": "10.92.0.1/24", "dhcp": {"ranges": [{"start": "10.92.0.2", "end": "10.92.0.9"}]}}]}
    assert plan_updates(live, patched(live, options, [])).updates == []


def test_the_case_of_a_mac_and_the_count_of_guests_are_no_difference() -> None:
    live = parse(LIVE.replace("<network>", "<network connections='2'>").replace("AA:00:01", "aa:00:01"))
    assert plan_updates(live, network(LIVE)).updates == []
    assert describe(live, network(LIVE)) == []


def records(*lines: str) -> Element:
    """The active network with these DNS records and no others."""
    start, end = LIVE.index("<txt"), LIVE.index("</dns>")
    return network(LIVE[:start] + "".join(lines) + LIVE[end:])


def host(address: str, *names: str) -> str:
    return f"<host ip='{address}'>" + "".join(f"<hostname>{name}</hostname>" for name in names) + "</host>"


def srv(**attributes: str) -> str:
    rest = "".join(f" {name}='{value}'" for name, value in attributes.items())
    return f"<srv service='ldap' protocol='tcp'{rest}/>"


def txt(value: str) -> str:
    return f"<txt name='a' value='{value}'/>"


def calls(live: Element, target: Element) -> tuple[list[tuple[str, dict[str, str]]], bool]:
    """Command and attributes of each call, and whether something is left to wait."""
    plan = plan_updates(live, target)
    found = [(update.command, update.entry.attrib) for update in plan.updates]
    assert bool(describe(plan.after, target)) is not same_network(plan.after, target)
    return found, not same_network(plan.after, target)


def test_a_dns_host_that_shares_a_name_with_another_is_removed_by_its_address_alone() -> None:
    live = records(host("10.91.1.9", "web"), host("fd00:91::9", "web"))
    plan = plan_updates(live, records(host("10.91.1.9", "web", "www"), host("fd00:91::9", "web")))
    assert [(update.command, dump(update.entry)) for update in plan.updates] == [
        ("DELETE", "<host ip='10.91.1.9'/>\n".replace("'", '"').replace("/>", " />")),
        ("ADD_LAST", dump(parse(host("10.91.1.9", "web", "www")))),
    ]


def test_of_srv_records_that_libvirt_would_take_for_one_the_fuller_goes_first_and_comes_last() -> None:
    bare, full = {"service": "ldap", "protocol": "tcp"}, {"service": "ldap", "protocol": "tcp", "domain": "d"}
    assert calls(records(srv(), srv(domain="d")), records()) == ([("DELETE", full), ("DELETE", bare)], False)
    assert calls(records(), records(srv(domain="d"), srv())) == ([("ADD_LAST", bare), ("ADD_LAST", full)], False)


@pytest.mark.parametrize(
    ("live", "target"),
    [
        ([srv(target="a")], [srv(target="a"), srv()]),
        ([srv(target="a"), srv()], [srv(target="a")]),
        ([txt("spf")], [txt("spf"), txt("verification")]),
        ([txt("spf"), txt("verification")], [txt("spf"), txt("other")]),
        ([txt("spf"), txt("verification")], [txt("verification")]),
        ([host("10.91.1.9", "a"), host("10.91.1.9", "b")], [host("10.91.1.9", "a")]),
        ([host("10.91.1.9", "a")], [host("10.91.1.9", "a"), host("10.91.1.9", "b")]),
        ([host("10.91.1.9", "a")], [host("10.91.1.9", "a"), host("10.91.1.9", "a")]),
    ],
)
def test_what_libvirt_would_refuse_is_not_tried_and_waits(live: list[str], target: list[str]) -> None:
    assert calls(records(*live), records(*target)) == ([], True)


def test_beside_a_record_that_waits_another_one_changes() -> None:
    other = "<txt name='b' value='c'/>"
    assert calls(records(txt("spf")), records(txt("spf"), txt("verification"), other)) == (
        [("ADD_LAST", {"name": "b", "value": "c"})],
        True,
    )
