# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A seed's documents as people may see them: the changed values, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import masking, user_data, yaml_text
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.documents import FILES
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, differences

# Stands for a text that is no YAML, in which nobody can tell what is secret: a script, a template, a message.
OPAQUE = object()


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """What differs between the documents of two seeds, option by option."""
    found = []
    for option, name in FILES.items():
        if before.get(name) != after.get(name):
            found += _changes_of(option, before.get(name), after.get(name))
    for name in before:
        if name not in after and name not in FILES.values():
            found.append(Change(name, "a file", None))
    return found


def data_of(text: str) -> Any:
    """What a document says; `OPAQUE` where it is not plain YAML."""
    if not user_data.is_yaml(text):
        return OPAQUE
    try:
        data = yaml_text.parse(text, "").data
    except Failure:
        return OPAQUE
    return data if data is None or isinstance(data, dict) else OPAQUE


def _changes_of(option: str, before: str | None, after: str | None) -> list[Change]:
    old = None if before is None else data_of(before)
    new = None if after is None else data_of(after)
    if old is OPAQUE or new is OPAQUE:
        return [Change(option, _summary(before), _summary(after, before))]
    shown = differences(masking.mask(old), masking.mask(new, old), option)
    # Only comments, the order of keys or the way of writing differ; or a document without any value.
    return shown or [Change(option, _summary(before), _summary(after, before))]


def _summary(text: str | None, before: str | None = None) -> str | None:
    if text is None:
        return None
    size = f"text of {len(text.encode())} bytes"
    return size if before is None else f"{size} (changed)"
