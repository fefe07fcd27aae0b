# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names in the inventory."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._hostnames import choose_hostnames, harmless


def domain(name: str, number: int, hypervisor: str = "h1", title: str = "") -> dict[str, Any]:
    return {"name": name, "uuid": f"0000-{number}", "title": title, "hypervisor": hypervisor}


def test_the_name_is_used_where_it_is_the_only_one() -> None:
    assert choose_hostnames([domain("web", 1), domain("db", 2)], ["name"]) == (["web", "db"], [])


def test_none_of_two_namesakes_gets_the_name_in_whatever_order() -> None:
    one, other = domain("web", 1, "h1"), domain("web", 2, "h2")
    assert choose_hostnames([one, other], ["name"]) == (["h1_web", "h2_web"], ["web"])
    assert choose_hostnames([other, one], ["name"]) == (["h2_web", "h1_web"], ["web"])


def test_namesakes_on_hypervisors_of_one_alias_get_their_uuids() -> None:
    names, _clashes = choose_hostnames([domain("web", 1), domain("web", 2)], ["name"])
    assert names == ["0000-1", "0000-2"]


def test_a_domain_without_a_title_gets_the_next_choice() -> None:
    domains = [domain("a", 1, title="shop"), domain("b", 2)]
    assert choose_hostnames(domains, ["title", "name"]) == (["shop", "b"], [])


def test_a_name_that_another_domain_already_has_as_its_title_is_not_given_twice() -> None:
    domains = [domain("a", 1, title="b"), domain("b", 2)]
    assert choose_hostnames(domains, ["title", "name"])[0] == ["b", "h1_b"]


def test_a_domain_that_is_named_as_the_uuid_of_another_takes_nothing_from_it() -> None:
    domains = [domain("web", 1), domain("web", 2), domain("0000-1", 3)]
    names, _clashes = choose_hostnames(domains, ["name"])
    assert len(set(names)) == 3


@pytest.mark.parametrize("name", ["localhost", "LocalHost", "127.0.0.1", "all", "ungrouped"])
def test_a_domain_cannot_take_the_place_of_the_controller_or_of_a_group(name: str) -> None:
    assert choose_hostnames([domain(name, 1, title=name)], ["title", "name"]) == ([f"h1_{name}"], [])


def test_a_reserved_name_is_given_to_none() -> None:
    assert choose_hostnames([domain("web", 1)], ["name"], {"web"}) == (["h1_web"], ["web"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web1.example.com", "web1.example.com"),
        ("größe", "größe"),
        ("my vm", "my_vm"),
        ("{{ 7*7 }}", "___7_7___"),
        ("-oProxyCommand=x", "_oProxyCommand_x"),
        (".", "_"),
        ("..", "_."),
        (" ../x", "_._x"),
        (".ssh", "_ssh"),
        ("a:b,c", "a_b_c"),
        ("x" * 300, "x" * 255),
    ],
)
def test_names_mean_nothing_to_ansible_or_ssh(name: str, expected: str) -> None:
    assert harmless(name) == expected
