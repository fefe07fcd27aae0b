# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses, checked."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.addresses import (
    check_inside,
    check_order,
    clean_interface,
    interface_of,
    networks_overlap,
    overlap,
    shortest,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.168.77.1/24", "192.168.77.1/24"),
        ("192.168.77.1/255.255.255.0", "192.168.77.1/24"),
        ("FD00:0::1/64", "fd00::1/64"),
        ("10.0.0.0/31", "10.0.0.0/31"),
    ],
)
def test_an_interface_gets_one_spelling(text: str, expected: str) -> None:
    assert clean_interface(text, "ips[0].address") == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("192.168.77.1", "has no prefix length"),
        ("192.168.77.300/24", "Write an address such as"),
        ("192.168.77.1/33", "Write an address such as"),
        ("192.168.77.0/24", "is the address of the network 192.168.77.0/24 itself"),
        ("192.168.77.255/24", "is the broadcast address"),
    ],
)
def test_a_wrong_interface_is_refused_with_the_option(text: str, sentence: str) -> None:
    with pytest.raises(Failure, match="^ips\\[0\\].address: .*" + sentence):
        clean_interface(text, "ips[0].address")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("10.0.1.5", "is not inside the network 10.0.0.0/24"),
        ("fd00::5", "is not inside"),
        ("10.0.0.0", "itself"),
        ("10.0.0.255", "broadcast"),
    ],
)
def test_a_guest_must_fit_into_its_network(address: str, sentence: str) -> None:
    check_inside("10.0.0.5", "10.0.0.1/24", "hosts")
    with pytest.raises(Failure, match=sentence):
        check_inside(address, "10.0.0.1/24", "hosts")


@pytest.mark.parametrize(("start", "end"), [("10.0.0.9", "10.0.0.8"), ("10.0.0.9", "fd00::1")])
def test_a_range_must_end_after_its_start(start: str, end: str) -> None:
    check_order("10.0.0.9", "10.0.0.9", "ranges")
    with pytest.raises(Failure, match="does not come after its start"):
        check_order(start, end, "ranges")


def test_ranges_overlap_in_one_address() -> None:
    assert overlap(("10.0.0.1", "10.0.0.5"), ("10.0.0.5", "10.0.0.9"))
    assert not overlap(("10.0.0.1", "10.0.0.5"), ("10.0.0.6", "10.0.0.9"))
    assert not overlap(("10.0.0.1", "10.0.0.5"), ("::", "ffff::"))
    assert not overlap(("10.0.0.1", "garbage"), ("10.0.0.1", "10.0.0.5"))


def test_networks_of_two_families_do_not_overlap() -> None:
    assert networks_overlap("10.0.0.1/24", "10.0.0.254/16")
    assert not networks_overlap("10.0.0.1/24", "fd00::1/64")
    assert not networks_overlap("10.0.0.1", "10.0.0.1/nonsense")


def test_libvirts_address_has_a_prefix_or_a_netmask_or_neither() -> None:
    assert interface_of("10.0.0.1", None, "255.255.255.0") == "10.0.0.1/24"
    assert interface_of("10.0.0.1", "24", None) == "10.0.0.1/24"
    assert interface_of("10.0.0.1", None, None) == "10.0.0.1"
    assert shortest("FD00:0::1") == "fd00::1"
    assert shortest("not an address") == "not an address"
