# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Telling what guests and daemons say, which Ansible must never take for a template, from what we say."""

from __future__ import annotations

import re
from typing import Any

try:
    # Since ansible-core 2.19 only text that carries a tag of trust is ever templated.
    from ansible.template import trust_as_template
except ImportError:
    trust_as_template = None

if trust_as_template is None:
    from ansible.utils.unsafe_proxy import wrap_var


# How this collection writes its own words, and a UUID.
_WORD = re.compile(r"[a-z0-9_-]*")


def untrusted(value: Any) -> Any:
    """The value, with every text in it marked as one that must not be templated, where Ansible needs a mark."""
    return value if trust_as_template is not None else wrap_var(value)


def trusted(text: Any) -> Any:
    """A word that this collection wrote itself, marked as such where Ansible needs a mark; other text is `untrusted`.

    Nothing in it is a template. But what has no mark, ``ansible-inventory --list`` wraps in an object that says so, at
    a price for each host and for each reader. It may come from a cache into which others can write.
    """
    if not isinstance(text, str) or _WORD.fullmatch(text) is None:
        return untrusted(text)
    return trust_as_template(text) if trust_as_template is not None else text
