# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task may say, in one spelling."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.options import check_purge, clean_options


def ips(dhcp: dict[str, Any]) -> dict[str, Any]:
    return {"ips": [{"address": "10.0.0.1/24", "dhcp": dhcp}]}


def test_only_what_describes_the_network_is_kept_in_one_spelling() -> None:
    options = clean_options(
        {
            "name": "lab",
            "state": "started",
            "mode": "nat",
            "ips": [
                {
                    "address": "FD00::1/64",
                    "dhcp": {"hosts": [{"id": "00:01:AB", "ip": "FD00::0:9"}], "ranges": []},
                },
                {"address": "10.0.0.1/24", "dhcp": {"hosts": [{"mac": "52-54-00-AA-00-01", "ip": "10.0.0.9"}]}},
            ],
        }
    )
    assert options == {
        "mode": "nat",
        "ips": [
            {"address": "fd00::1/64", "dhcp": {"hosts": [{"id": "00:01:ab", "ip": "fd00::9"}], "ranges": []}},
            {"address": "10.0.0.1/24", "dhcp": {"hosts": [{"mac": "52:54:00:aa:00:01", "ip": "10.0.0.9"}]}},
        ],
    }


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mtu": 67}, "mtu: 67 is not a frame size"),
        ({"bridge": "averyveryverylongname"}, "bridge: 'averyveryverylongname' is not a name"),
        ({"bridge": "a b"}, "bridge: 'a b' is not a name"),
        ({"bridge": ""}, "bridge: '' is not a name"),
        ({"nat": {"port": {"start": 70, "end": 60}}}, "nat.port: 70 - 60 is no range"),
        ({"nat": {"port": {"start": 0, "end": 60}}}, "nat.port: 0 - 60 is no range"),
        ({"nat": {"address": {"start": "10.0.0.2", "end": "10.0.0.1"}}}, "nat.address: the end"),
        ({"dns": {"hosts": [{"ip": "10.0.0", "names": ["a"]}]}}, r"dns.hosts\[0\].ip: '10.0.0' is not"),
        ({"dns": {"hosts": [{"ip": "10.0.0.9", "names": []}]}}, r"dns.hosts\[0\]: give 10.0.0.9 at least one name"),
        ({"dns": {"txt": [{"name": "a b", "value": "c"}]}}, r"dns.txt\[0\].name: 'a b' is no name for a record"),
        ({"dns": {"txt": [{"name": "a,b", "value": "c"}]}}, r"dns.txt\[0\].name: 'a,b' is no name for a record"),
        ({"dns": {"txt": [{"name": "", "value": "c"}]}}, r"dns.txt\[0\].name: '' is no name for a record"),
        ({"dns": {"txt": [{"name": "a", "value": ""}]}}, r"dns.txt\[0\].value: 'a' has no text"),
        ({"dns": {"forwarders": [{"address": "x"}]}}, r"dns.forwarders\[0\].address: 'x' is not"),
        (ips({"ranges": [{"start": "10.0.0.2", "end": "x"}]}), r"ips\[0\].dhcp.ranges\[0\].end: 'x'"),
        (ips({"hosts": [{"mac": "x", "ip": "10.0.0.2"}]}), r"ips\[0\].dhcp.hosts\[0\].mac: 'x'"),
        (ips({"hosts": [{"id": "0:1", "ip": "10.0.0.2"}]}), "an IPv4 host is known by its mac or name"),
        (ips({"hosts": [{"mac": "52:54:00:00:00:01", "ip": "fd00::2"}]}), "an IPv6 host is known by its id"),
    ],
)
def test_bad_input_is_refused_with_its_place(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        clean_options(options)


@pytest.mark.parametrize(
    ("word", "options"),
    [
        ("ips", {"ips": []}),
        ("dhcp_hosts", ips({"hosts": []})),
        ("dhcp_ranges", ips({"ranges": []})),
        ("dns_txt", {"dns": {"txt": []}}),
    ],
)
def test_purge_needs_the_list_that_stays(word: str, options: dict[str, Any]) -> None:
    check_purge([word], options)
    with pytest.raises(Failure, match=f"purge names {word}, but the task gives no list"):
        check_purge([word], {"mtu": 1400})
