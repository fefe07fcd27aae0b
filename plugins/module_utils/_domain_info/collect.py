# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module domain_info returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.configuration import (
    configuration,
    drift,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.reading import Found, Reader, Request
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.selection import (
    compile_query,
    labels_match,
    name_filter,
    uuid_filter,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.statistics import (
    group_flags,
    statistics_tree,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._parallel import call_together

_Domain = dict[str, Any]


def collect(params: dict[str, Any], hypervisor: Hypervisor) -> dict[str, Any]:
    """The wanted domains in the order of their names, and warnings about what could not be read.

    :raises Failure: for an option that cannot be used, and for a hypervisor that does not tell its domains.
    """
    query = None if params["query"] is None else compile_query(params["query"], "query")
    reader = Reader(hypervisor, _request(params), Deadline(params["call_timeout"]))
    read, autostart, persistent = call_together(
        [
            reader.read,
            lambda: _flagged(hypervisor, libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART),
            lambda: _flagged(hypervisor, libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT),
        ],
        Deadline(None),  # each of the three has its own
    )
    flags = {"autostart": autostart.unwrap(), "persistent": persistent.unwrap()}
    domains = [_domain(found, params["gather"], flags) for found in read.unwrap()[1]]
    result: dict[str, Any] = {"domains": [domain for domain in domains if query is None or query(domain)]}
    if reader.problems or reader.notes:
        result["warnings"] = reader.problems + reader.notes
    return result


def _request(params: dict[str, Any]) -> Request:
    gather = params["gather"]
    return Request(
        wanted=_selector(params),
        chosen=lambda found: labels_match(found.facts["labels"], params["labels"] or {}),
        stored=bool({"config", "drift"} & set(gather)),
        statistics=group_flags(params["statistics"]) if "statistics" in gather else 0,
        sources=tuple(params["address_sources"]) if "addresses" in gather else (),
        enough=lambda _facts: False,
        agent_timeout=params["agent_timeout"],
    )


def _selector(params: dict[str, Any]) -> Callable[[Found], bool]:
    """Whether the list of domains already tells that one is wanted."""
    tests: list[Callable[[Found], bool]] = []
    # An empty list is one of no domain, not an option that nobody gave: templates make such lists.
    if params["names"] is not None:
        name_matches = name_filter(params["names"], "names")
        tests.append(lambda found: name_matches(found.name))
    if params["uuids"] is not None:
        uuid_matches = uuid_filter(params["uuids"], "uuids")
        tests.append(lambda found: uuid_matches(found.uuid))
    if params["states"] is not None:
        tests.append(lambda found: found.state in params["states"])
    return lambda found: all(test(found) for test in tests)


def _flagged(hypervisor: Hypervisor, flag: int) -> set[str]:
    """The uuids of all domains that libvirt lists under a flag: one call for all of them."""
    domains = hypervisor.call("list the domains", hypervisor.connection.listAllDomains, flag)
    return {domain.UUIDString() for domain in domains}


def _domain(found: Found, gather: list[str], flags: dict[str, set[str]]) -> _Domain:
    facts = dict(found.facts)
    addresses = facts.pop("addresses")
    domain: _Domain = {
        "name": found.name,
        "uuid": found.uuid,
        "id": found.id if found.active else None,
        "state": found.state,
        "state_reason": found.reason,
        **{flag: found.uuid in uuids for flag, uuids in flags.items()},
        **facts,
    }
    if "addresses" in gather:
        domain["addresses"] = addresses
    if "statistics" in gather:
        domain["statistics"] = statistics_tree(found.statistics)
    if found.stored is not None and "config" in gather:
        domain["config"] = configuration(found.stored)
    if found.stored is not None and found.xml is not None and "drift" in gather:
        domain["drift"] = drift(found.stored, found.xml) if found.active else []
    return domain
