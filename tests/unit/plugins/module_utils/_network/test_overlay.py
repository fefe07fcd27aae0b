# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network in the user's own XML."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.config import describe
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.overlay import laid_over, parse_network
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import dump
from tests.unit.plugins.module_utils._network.examples import LIVE, STORED, network

AS_WRITTEN = """
<network>
  <name>lab</name>
  <forward/>
  <domain name='p.test' localOnly='no'/>
  <dns><host ip='10.91.1.9'><hostname>h</hostname></host><txt name='a' value='b'/></dns>
  <ip family='ipv4' address='10.91.1.1' prefix='24'>
    <dhcp><host mac='52:54:00:aa:00:01' ip='10.91.1.5'/><range start='10.91.1.10' end='10.91.1.20'/></dhcp>
  </ip>
  <ip family='ipv6' address='FD00:91:0::1' prefix='64'/>
</network>
"""


@pytest.mark.parametrize("text", [STORED, LIVE, AS_WRITTEN, LIVE.replace("<network>", "<network connections='1'>")])
@pytest.mark.parametrize("held", [STORED, LIVE])
def test_libvirts_own_dump_and_what_the_user_wrote_before_change_nothing(text: str, held: str) -> None:
    assert dump(laid_over(network(held), parse_network(text))) == dump(network(held))


def test_what_the_xml_says_wins_and_what_it_does_not_mention_stays() -> None:
    given = parse_network("<network><mtu size='1400'/><portgroup name='p'/></network>")
    target = laid_over(network(), given)
    assert [(change.path, change.after) for change in describe(network(), target)] == [
        ("mtu", 1400),
        ("xml.portgroup[p].name", "p"),
    ]
    assert target.findtext("uuid") == network().findtext("uuid")


def test_what_no_option_stands_for_shows_by_its_place_in_the_xml() -> None:
    target = laid_over(network(), parse_network("<network><portgroup name='p' default='yes'/></network>"))
    assert [change.path for change in describe(network(), target)] == [
        "xml.portgroup[p].name",
        "xml.portgroup[p].default",
    ]


def test_a_default_in_the_xml_that_libvirt_does_not_keep_is_no_change() -> None:
    held = laid_over(network(), parse_network("<network><portgroup name='p'/></network>"))
    given = parse_network("<network ipv6='no'><portgroup name='p' default='no'/></network>")
    assert dump(laid_over(held, given)) == dump(held)


def test_a_prefix_takes_the_place_of_a_netmask() -> None:
    target = laid_over(network(), parse_network("<network><ip address='10.91.1.1' prefix='16'/></network>"))
    assert target.findall("ip")[0].attrib == {"address": "10.91.1.1", "prefix": "16"}


def test_another_outgoing_device_takes_the_place_of_the_first() -> None:
    held = laid_over(network(), parse_network("<network><forward mode='nat' dev='eth0'/></network>"))
    target = laid_over(held, parse_network("<network><forward dev='eth1'/></network>"))
    assert [device.get("dev") for device in target.findall("forward/interface")] == ["eth1"]
    assert target.findall("forward")[0].get("dev") == "eth1"


def test_options_for_dnsmasq_keep_their_namespace() -> None:
    given = parse_network(
        "<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'>"
        "<dnsmasq:options><dnsmasq:option value='log-queries'/></dnsmasq:options></network>"
    )
    assert "<dnsmasq:option value=" in dump(laid_over(network(), given))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("<network>", "The option xml is not well-formed"),
        ("<domain/>", "The option xml holds a <domain>; this module needs a <network>"),
    ],
)
def test_what_is_no_network_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        parse_network(text)
