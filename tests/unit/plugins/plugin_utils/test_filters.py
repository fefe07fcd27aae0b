# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of include and exclude."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._filters import Filters

DOMAIN = {"name": "web1", "labels": {"env": "prod", "tier": "front"}, "memory": 2 * 1024**3, "title": ""}


@pytest.mark.parametrize(
    "rule",
    [
        {"name": "web*"},
        {"name": "~web[0-9]$"},
        {"labels": {"env": "prod"}},
        {"labels": {"env": "*", "tier": "f*"}},
        {"query": "memory > `1000`"},
        {"query": "labels.env"},
        {"name": "web1", "labels": {"env": "prod"}, "query": "name == 'web1'"},
    ],
)
def test_a_rule_that_matches(rule: dict[str, Any]) -> None:
    assert Filters([rule], []).accept(DOMAIN)
    assert not Filters([], [rule]).accept(DOMAIN)


@pytest.mark.parametrize(
    "rule",
    [
        {"name": "db*"},
        {"name": "~eb"},
        {"labels": {"env": "dev"}},
        {"labels": {"owner": "*"}},
        {"query": "title"},
        {"name": "web1", "query": "memory < `1000`"},
    ],
)
def test_a_rule_that_does_not_match(rule: dict[str, Any]) -> None:
    assert not Filters([rule], []).accept(DOMAIN)
    assert Filters([], [rule]).accept(DOMAIN)


def test_one_rule_of_several_is_enough() -> None:
    assert Filters([{"name": "db"}, {"name": "web1"}], []).accept(DOMAIN)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("web*", r"include\[0\] must be a dictionary with the keys name, labels, query"),
        ({"names": "x"}, r"include\[0\]: .*names"),
        ({}, r"include\[0\]: one of the following is required: name, labels, query"),
        ({"name": "~["}, r"include\[0\]\.name: '~\[' is not a regular expression"),
        ({"query": "a ="}, r"include\[0\]\.query: 'a =' cannot be used as a JMESPath expression"),
    ],
)
def test_a_rule_that_cannot_be_used(rule: Any, sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        Filters([rule], [])


@pytest.mark.parametrize("query", ["starts_with(memory, 'x')", "starts_with(labels.no_such, 'prod')"])
def test_a_domain_that_a_query_does_not_fit_does_not_match(query: str) -> None:
    assert not Filters([{"query": query}], []).accept(DOMAIN)
    assert Filters([], [{"query": query}]).accept(DOMAIN)


def test_a_domain_that_a_query_does_not_fit_is_named_when_strict() -> None:
    domain = {**DOMAIN, "hypervisor": "h1"}
    sentence = r"The domain 'web1' of h1: exclude\[0\]\.query: .* cannot be used as a JMESPath expression"
    with pytest.raises(Failure, match=sentence):
        Filters([], [{"query": "starts_with(labels.no_such, 'prod')"}], strict=True).accept(domain)


@pytest.mark.parametrize("query", ["no_such_function(name)", "starts_with(name)"])
def test_a_query_that_fits_no_data_is_always_an_error(query: str) -> None:
    with pytest.raises(Failure, match="cannot be used as a JMESPath expression"):
        Filters([], [{"query": query}]).accept(DOMAIN)
