# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names, addresses and settings of a lab."""

from __future__ import annotations

import pytest

from tests.lab import Host, LabError, model, settings
from tests.lab.network import choose_number, default_network_xml

_LONGEST_INTERFACE_NAME = 15  # IFNAMSIZ less the final zero


@pytest.mark.parametrize("name", ["h1", "a", "debian-12"])
def test_good_names(name: str) -> None:
    assert Host(name).name == name


@pytest.mark.parametrize("name", ["", "1h", "H1", "h_1", "h/1", "../h", "h" * 31, "h\n"])
def test_bad_names(name: str) -> None:
    with pytest.raises(LabError, match="must be lower-case"):
        Host(name)


def test_unknown_release() -> None:
    with pytest.raises(LabError, match="'sid' is not one of bookworm, trixie"):
        Host("h1", release="sid")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("a", Host("a")),
        ("b:trixie", Host("b", "trixie")),
        ("c,ssh,tls", Host("c", ssh=True, tls=True)),
        ("d:trixie,sasl", Host("d", "trixie", auth="sasl")),
    ],
)
def test_host_on_the_command_line(text: str, host: Host) -> None:
    assert model.parse_host(text) == host


def test_unknown_extra_on_the_command_line() -> None:
    with pytest.raises(LabError, match="rsh is not one of sasl, tls, ssh"):
        model.parse_host("h1,ssh,rsh")


def test_unknown_auth() -> None:
    with pytest.raises(LabError, match="neither 'none' nor 'sasl'"):
        Host("h1", auth="kerberos")


def test_daemon_listens_where_it_was_asked_to() -> None:
    text = settings.libvirtd_conf("lab", Host("h1", auth="sasl", tls=True), "10.77.0.2")
    assert 'listen_addr = "10.77.0.2"' in text
    assert "listen_tls = 1" in text
    assert 'auth_tcp = "sasl"' in text
    assert "listen_tls = 0" in settings.libvirtd_conf("lab", Host("h1"), "10.77.0.2")


def test_hosts_must_differ() -> None:
    with pytest.raises(LabError, match="same name"):
        model.check_hosts([Host("h1"), Host("h1", "trixie")])


def test_a_lab_has_hosts() -> None:
    with pytest.raises(LabError, match="not 0"):
        model.check_hosts([])


def test_longest_names_fit_into_the_kernel() -> None:
    inner = f"{model.link_name(254, model.MAX_HOSTS - 1)}i"
    assert len(inner) <= _LONGEST_INTERFACE_NAME


def test_first_number_is_free() -> None:
    assert choose_number(set(), {"lo", "eth0"}, ["default", "192.0.2.0/24"]) == 0


@pytest.mark.parametrize(
    ("taken", "links", "routes"),
    [({0}, set(), []), (set(), {"kvmlab0"}, []), (set(), set(), ["10.77.0.0/24"]), (set(), set(), ["10.77.0.9"])],
)
def test_used_number_is_passed_over(taken: set[int], links: set[str], routes: list[str]) -> None:
    assert choose_number(taken, links, routes) == 1


def test_wide_routes_do_not_matter() -> None:
    """A company's 10.0.0.0/8 behind a router is not a reason to refuse: ours is more specific."""
    assert choose_number(set(), set(), ["10.0.0.0/8", "0.0.0.0/0"]) == 0


def test_no_number_left() -> None:
    with pytest.raises(LabError, match="in use"):
        choose_number(set(range(255)), set(), [])


def test_guest_networks_differ() -> None:
    assert default_network_xml(0) != default_network_xml(1)


def test_host_uuids_differ_between_hosts_and_labs() -> None:
    first, second = Host("h1"), Host("h2")
    uuids = {settings.host_uuid(lab, host) for lab in ("a", "b") for host in (first, second)}
    assert len(uuids) == 4


def test_hosts_file() -> None:
    assert settings.hosts_file({"h1": "10.77.0.2"}) == "127.0.0.1 localhost\n10.77.0.2 h1\n"
