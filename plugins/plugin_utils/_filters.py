# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options ``include`` and ``exclude`` of the inventory plugin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.selection import (
    compile_query,
    labels_match,
    name_filter,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._options import checked

_RULE = {
    "name": {"type": "str"},
    "labels": {"type": "dict"},
    "query": {"type": "str"},
}

_Rule = Callable[[dict[str, Any]], bool]


class Filters:
    """Decides which domains are listed.

    :param include: rules, each a dict of what `_RULE` allows; a domain must match one, unless there is none.
    :param exclude: rules as well; a domain must match none.
    :param strict: whether a query that does not fit what is known of a domain is an error; else it does not match.
    :raises Failure: for a rule that cannot be used.
    """

    def __init__(self, include: list[Any], exclude: list[Any], strict: bool = False) -> None:
        self._include = [_rule(given, f"include[{position}]", strict) for position, given in enumerate(include)]
        self._exclude = [_rule(given, f"exclude[{position}]", strict) for position, given in enumerate(exclude)]

    def accept(self, domain: dict[str, Any]) -> bool:
        """Whether a domain is listed, given all that is known of it."""
        if self._include and not any(rule(domain) for rule in self._include):
            return False
        return not any(rule(domain) for rule in self._exclude)


def _rule(given: Any, option: str, strict: bool) -> _Rule:
    """A rule holds for a domain when all that it names does."""
    rule = checked(given, _RULE, option, required_one_of=[list(_RULE)])
    tests: list[_Rule] = []
    if rule["name"] is not None:
        name_matches = name_filter([rule["name"]], f"{option}.name")
        tests.append(lambda domain: name_matches(domain["name"]))
    if rule["labels"] is not None:
        tests.append(lambda domain: labels_match(domain["labels"], rule["labels"]))
    if rule["query"] is not None:
        query = compile_query(rule["query"], f"{option}.query")
        tests.append(lambda domain: _finds(query, domain, strict))
    return lambda domain: all(test(domain) for test in tests)


def _finds(query: Callable[[Any], Any], domain: dict[str, Any], strict: bool) -> bool:
    """Whether a query finds something; a domain that has not what a function of it needs (a label) is no error."""
    try:
        return bool(query(domain))
    except Failure as failure:
        if not _is_of_the_data(failure):
            raise
        if strict:
            raise Failure(f"The domain '{domain['name']}' of {domain['hypervisor']}: {failure.message}") from failure
        return False


def _is_of_the_data(failure: Failure) -> bool:
    """Whether a query failed on the type of a value; an unknown function for example fails on all domains."""
    from jmespath.exceptions import JMESPathTypeError  # takes long to import, and a query has imported it

    return isinstance(failure.__cause__, JMESPathTypeError)
