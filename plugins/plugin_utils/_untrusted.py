# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Marking what guests and daemons say, so that Ansible never takes it for a template."""

from __future__ import annotations

from typing import Any

try:
    # Since ansible-core 2.19 only text that carries a tag of trust is ever templated, and nothing tags ours.
    from ansible.template import is_trusted_as_template
except ImportError:
    is_trusted_as_template = None

if is_trusted_as_template is None:
    from ansible.utils.unsafe_proxy import wrap_var


def untrusted(value: Any) -> Any:
    """The value, with every text in it marked as one that must not be templated, where Ansible needs a mark."""
    return value if is_trusted_as_template is not None else wrap_var(value)
