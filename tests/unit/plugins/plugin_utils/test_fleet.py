# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many hypervisors at once."""

from __future__ import annotations

import pathlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info import reading
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.reading import Request
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._fleet import (
    fingerprint,
    listed_once,
    member,
    read_fleet,
)


@pytest.fixture
def silent() -> Iterator[str]:
    """The URI of a daemon that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"qemu+tcp://127.0.0.1:{server.getsockname()[1]}/system"


def test_hypervisors_are_read_with_their_own_name_or_an_alias() -> None:
    members = [member({"uri": "test:///default"}, "c"), member({"uri": "test:///default", "alias": "lab"}, "c")]
    first, second = read_fleet(members, Request(), 10)
    assert first.problems == []
    assert first.hypervisor not in ("", "test:///default")
    assert [(domain["name"], domain["state"]) for domain in second.domains] == [("test", "running")]
    assert second.domains[0]["hypervisor"] == "lab"
    assert second.domains[0]["uri"] == "test:///default"


def test_others_can_open_the_same_connection_but_for_the_password() -> None:
    given = {"uri": "qemu+tls://h1/system", "password": "secret", "tls_pki_path": "/etc/pki/mine", "tls_verify": False}
    assert member(given, "c").access == {
        "ansible_libvirt_tls_pki_path": "/etc/pki/mine",
        "ansible_libvirt_tls_verify": False,
    }
    assert member({"uri": "test:///default"}, "c").access == {}


def test_one_that_never_answers_costs_its_deadline_and_not_the_others(silent: str) -> None:
    members = [member({"uri": silent}, "c"), member({"uri": silent}, "c"), member({"uri": "test:///default"}, "c")]
    start = time.monotonic()
    dead, dead_too, alive = read_fleet(members, Request(), 2)
    assert time.monotonic() - start < 3.5
    assert [domain["name"] for domain in alive.domains] == ["test"]
    assert dead.problems == dead_too.problems
    assert "within 2 seconds (timeout)" in dead.problems[0]


def test_one_that_has_no_uri_does_not_cost_the_others() -> None:
    members = [member({"uri": uri}, "c") for uri in ("qemu+ssh://[bad/system", "test:///default")]
    assert fingerprint(members, [])
    bad, good = read_fleet(members, Request(), 10)
    assert bad.problems[0].startswith("'qemu+ssh://[bad/system' is not a URI")
    assert [domain["name"] for domain in good.domains] == ["test"]


def test_what_nobody_thought_of_is_a_problem_of_one_hypervisor(tmp_path: pathlib.Path) -> None:
    def enough(facts: dict[str, Any]) -> bool:
        return facts["title"] != "odd" or bool(facts["no such fact"])

    uris = {"odd": f"test://{tmp_path}/odd.xml", "even": "test:///default"}
    (tmp_path / "odd.xml").write_text(
        "<node><domain type='test'><name>odd</name><title>odd</title><memory>1</memory><vcpu>1</vcpu>"
        "<os><type>hvm</type></os></domain></node>",
        encoding="utf-8",
    )
    members = [member({"uri": uri, "alias": alias}, "c") for alias, uri in uris.items()]
    odd, even = read_fleet(members, Request(enough=enough), 10)
    assert odd.problems == [f"Cannot read {uris['odd']}: KeyError('no such fact')."]
    assert (odd.hypervisor, odd.domains) == ("odd", [])
    assert [domain["name"] for domain in even.domains] == ["test"]


def test_a_problem_says_of_which_hypervisor_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_text: str) -> None:
        raise ValueError("odd XML")

    monkeypatch.setattr(reading, "glance", fail)
    (answer,) = read_fleet([member({"uri": "test:///default", "alias": "lab"}, "c")], Request(), 10)
    assert answer.problems == ["lab: Cannot read the domain 'test': odd XML."]


def test_a_migrated_domain_is_listed_where_it_runs() -> None:
    here = {"uuid": "1", "state": "stopped", "hypervisor": "h1"}
    there = {"uuid": "1", "state": "running", "hypervisor": "h2"}
    other = {"uuid": "2", "state": "stopped", "hypervisor": "h1"}
    assert listed_once([here, other, there]) == [there, other]
    assert listed_once([there, other, here]) == [there, other]


def test_a_connection_is_checked_like_the_options_of_a_module() -> None:
    with pytest.raises(Failure, match=r"connections\[1\]: missing required arguments: uri"):
        member({"alias": "x"}, "connections[1]")
    with pytest.raises(Failure, match=r"connections\[1\]: Unsupported parameters: urii\. Supported .*[^.]\.$"):
        member({"uri": "test:///default", "urii": "x"}, "connections[1]")


def test_what_a_cache_is_known_by_holds_no_password() -> None:
    given = member({"uri": "qemu+tcp://h/system", "username": "me", "password": "hunter2"}, "c")
    assert "hunter2" not in str(given.identity)
    assert given.options.password == "hunter2"
