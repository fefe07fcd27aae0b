# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module domain_info, on libvirt's test driver."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import (
    ConnectionOptions,
    Hypervisor,
    connect,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.collect import collect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

NOTHING_NAMED: dict[str, Any] = {
    "names": None,
    "uuids": None,
    "states": None,
    "labels": None,
    "query": None,
    "gather": ["config", "statistics", "addresses", "drift"],
    "statistics": ["cpu", "block"],
    "address_sources": ["lease"],
    "agent_timeout": 1,
    "call_timeout": 10,
}


@pytest.fixture
def hypervisor() -> Iterator[Hypervisor]:
    with connect(ConnectionOptions(uri="test:///default"), read_only=True) as opened:
        yield opened


def names(hypervisor: Hypervisor, **options: Any) -> list[str]:
    return [domain["name"] for domain in collect({**NOTHING_NAMED, **options}, hypervisor)["domains"]]


def test_a_domain_with_everything(hypervisor: Hypervisor) -> None:
    result = collect(NOTHING_NAMED, hypervisor)
    (domain,) = result["domains"]
    assert (domain["name"], domain["state"], domain["persistent"], domain["autostart"]) == (
        "test",
        "running",
        True,
        False,
    )
    assert domain["config"]["memory"] == domain["memory"] == 2 * 1024**3
    assert domain["drift"] == domain["addresses"] == []
    assert "warnings" not in result


def test_only_what_is_named_is_gathered(hypervisor: Hypervisor) -> None:
    (domain,) = collect({**NOTHING_NAMED, "gather": []}, hypervisor)["domains"]
    assert not {"config", "statistics", "addresses", "drift"} & set(domain)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"names": ["te*"]}, ["test"]),
        ({"names": ["other"]}, []),
        ({"uuids": ["6695EB01-F6A4-8304-79AA-97F2502E193F"]}, ["test"]),
        ({"uuids": ["00000000-0000-0000-0000-000000000000"]}, []),
        ({"uuids": [" 6695eb01f6a4830479aa97f2502e193f"]}, ["test"]),
        ({"names": []}, []),
        ({"uuids": []}, []),
        ({"states": []}, []),
        ({"states": ["running"]}, ["test"]),
        ({"states": ["stopped"]}, []),
        ({"labels": {"env": "*"}}, []),
        ({"query": "config.memory > `1000`"}, ["test"]),
        ({"query": "drift"}, []),
    ],
)
def test_choosing(hypervisor: Hypervisor, options: dict[str, Any], expected: list[str]) -> None:
    assert names(hypervisor, **options) == expected


def test_a_uuid_that_is_none_is_refused(hypervisor: Hypervisor) -> None:
    with pytest.raises(Failure, match="uuids: 'test' is not a UUID. Write its 32 hexadecimal digits"):
        names(hypervisor, uuids=["test"])


def test_a_missing_jmespath_is_said_only_to_who_needs_it(
    hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jmespath", None)
    assert names(hypervisor) == ["test"]
    with pytest.raises(Failure, match="query needs the Python library jmespath, which is missing: install"):
        names(hypervisor, query="state")
