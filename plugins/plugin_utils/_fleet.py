# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the domains of many hypervisors at once, each within a deadline of its own."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.reading import Found, Reader, Request
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._parallel import call_each
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._options import checked

_CONNECTION = {
    "uri": {"type": "str", "required": True},
    "alias": {"type": "str"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "tls_pki_path": {"type": "path"},
    "tls_verify": {"type": "bool", "default": True},
    "ssh_key_file": {"type": "path"},
    "ssh_known_hosts": {"type": "path"},
}
_ACCESS = ("username", "tls_pki_path", "ssh_key_file", "ssh_known_hosts")


@dataclass(frozen=True)
class Member:
    """One hypervisor of the fleet; without an alias its own host name stands for it."""

    options: ConnectionOptions
    alias: str | None

    @property
    def access(self) -> dict[str, Any]:
        """The variables with which others open the same connection; a password is none of them."""
        given = {name: getattr(self.options, name) for name in _ACCESS if getattr(self.options, name) is not None}
        if not self.options.tls_verify:
            given["tls_verify"] = False
        return {f"ansible_libvirt_{name}": value for name, value in given.items()}

    @property
    def identity(self) -> list[Any]:
        """What makes one connection another than the next, without its secrets."""
        shown = {name: value for name, value in asdict(self.options).items() if name != "password"}
        return [shown, self.alias]


@dataclass
class Answer:
    """What one hypervisor told, as plain data.

    :ivar hypervisor: its alias or host name.
    :ivar domains: one dict a domain; see `_domain`.
    :ivar problems: what should have been readable and was not; the domains are not complete.
    :ivar notes: guests that did not answer.
    """

    uri: str
    hypervisor: str = ""
    domains: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def member(given: Any, option: str) -> Member:
    """A hypervisor from one element of the option ``connections``.

    :raises Failure: for an element that is no such.
    """
    params = checked(given, _CONNECTION, option)
    return Member(ConnectionOptions.from_params(params), params["alias"])


def fingerprint(members: list[Member], options: list[Any]) -> str:
    """What tells the cache of these hypervisors, read with these options, from that of others."""
    text = json.dumps([[item.identity for item in members], options])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_fleet(members: list[Member], request: Request, timeout: float) -> list[Answer]:
    """What each hypervisor answered within ``timeout`` seconds, in the order of ``members``."""
    # Each step of read_member is bounded by its deadline, so that none of these calls needs another one.
    outcomes = call_each(lambda item: read_member(item, request, timeout), members, Deadline(None))
    return [
        outcome.value if outcome.error is None else _unread(item, outcome.error)
        for item, outcome in zip(members, outcomes)
    ]


def _unread(item: Member, error: Exception) -> Answer:
    """Of a hypervisor that told something nobody had thought of, which is no loss of the others."""
    answer = _no_answer(item)
    answer.problems.append(f"Cannot read {answer.uri}: {error!r}.")
    return answer


def _no_answer(item: Member) -> Answer:
    return Answer(uri=item.options.uri, hypervisor=item.alias or item.options.uri)


def read_member(item: Member, request: Request, timeout: float) -> Answer:
    """What one hypervisor answered; that it could not be read is one of the problems."""
    deadline = Deadline(timeout)
    answer = _no_answer(item)
    try:
        # Nothing waits longer than the deadline, so keepalive, at one more round trip, would tell nothing sooner.
        options = replace(item.options, connect_timeout=timeout, keepalive_interval=0)
        hypervisor = Hypervisor(options, read_only=True)
    except Failure as failure:
        # Opening the connection has no option of its own here.
        answer.problems.append(failure.message.replace("(connect_timeout)", "(timeout)"))
        return answer
    reader = Reader(hypervisor, request, deadline)
    try:
        hostname, found = reader.read()
        answer.hypervisor = item.alias or hostname or item.options.uri
        answer.domains = [_domain(domain, answer) for domain in found]
    except Failure as failure:
        answer.problems.append(failure.message)
    finally:
        # Closing is a round trip more that nobody needs to wait for.
        threading.Thread(target=hypervisor.close, daemon=True).start()
    # The reader knows one hypervisor only, so its sentences do not say which.
    answer.problems += [f"{answer.hypervisor}: {problem}" for problem in reader.problems]
    answer.notes += [f"{answer.hypervisor}: {note}" for note in reader.notes]
    return answer


def listed_once(domains: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The domains without those that another hypervisor has under the same uuid: after a migration both have one.

    The one that does not stand still is kept, else the first.
    """
    by_uuid: dict[str, dict[str, Any]] = {}
    for domain in domains:
        known = by_uuid.get(domain["uuid"])
        if known is None or (known["state"] == "stopped" and domain["state"] != "stopped"):
            by_uuid[domain["uuid"]] = domain
    return list(by_uuid.values())


def _domain(found: Found, answer: Answer) -> dict[str, Any]:
    return {
        "name": found.name,
        "uuid": found.uuid,
        "hypervisor": answer.hypervisor,
        "uri": answer.uri,
        "state": found.state,
        "state_reason": found.reason,
        **found.facts,
    }
