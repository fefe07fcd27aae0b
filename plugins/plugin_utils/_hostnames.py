# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which name a domain gets in the inventory; unique, and harmless wherever Ansible puts it. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container
from typing import Any

CHOICES = ("name", "uuid", "title", "alias_name")
# Where two domains would get one name, these decide, whatever the user chose.
_LAST_CHOICES = ("alias_name", "uuid")
_LONGEST = 255
# A host of such a name would stand in for the controller, or for a group, in any play.
_RESERVED = ("localhost", "127.0.0.1", "all", "ungrouped")


def choose_hostnames(
    domains: list[dict[str, Any]], preferences: list[str], reserved: Container[str] = ()
) -> tuple[list[str], list[str]]:
    """An inventory name for each domain, and the names that were wanted and given to none.

    A name that several domains would get is given to none of them, so that it never depends on the order of the
    hypervisors which of them is meant.

    :param domains: dicts with ``name``, ``uuid``, ``title`` and ``hypervisor``; no two with the same uuid.
    :param preferences: of `CHOICES`; the first that gives a domain a name which it does not share.
    :param reserved: the names of groups, besides those that always are: what is set for a host of such a name,
        Ansible sets for the group.
    """
    chosen: dict[int, str] = {}
    clashing: dict[str, None] = {}
    for choice in (*preferences, *_LAST_CHOICES):
        proposals = {
            position: _candidate(domain, choice) for position, domain in enumerate(domains) if position not in chosen
        }
        demand = Counter(proposals.values())
        taken = set(chosen.values())
        for position, name in proposals.items():
            if name and demand[name] == 1 and name not in taken and name not in reserved:
                chosen[position] = name
            elif name:
                clashing[name] = None
    for position in set(range(len(domains))) - set(chosen):  # only where a name equals another domain's uuid
        chosen[position] = f"{domains[position]['uuid']}_{position}"
    return [chosen[position] for position in range(len(domains))], list(clashing)


def _candidate(domain: dict[str, Any], choice: str) -> str:
    if choice == "alias_name":
        return harmless(f"{domain['hypervisor']}_{domain['name']}")
    name = harmless(domain[choice])
    return "" if name.lower() in _RESERVED else name


def harmless(name: str) -> str:
    """A name without what Ansible's patterns, its templates, a path or a command line would give a meaning to."""
    name = re.sub(r"[^\w.-]", "_", name.strip()[:_LONGEST])
    # A leading hyphen makes an option of it, and host_vars/.. is the folder of the inventory.
    return f"_{name[1:]}" if name.startswith(("-", ".")) else name
