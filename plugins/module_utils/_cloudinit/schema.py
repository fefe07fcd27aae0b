# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cloud-init's own JSON schema, used where this machine has cloud-init and Python's jsonschema.

cloud-init installs the schemas as plain files; nothing of cloud-init is imported or run.
"""

from __future__ import annotations

import difflib
import glob
import importlib.util
import json
import os
import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.libraries import (
    optional,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.meta_data import place
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.yaml_text import Parsed
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

# Where distributions install packages of their own interpreter; this task may run on another.
_SYSTEM_PATTERN = "/usr/lib/python3*/*-packages/cloudinit"


def check(name: str, parsed: Parsed, option: str, is_text: bool) -> bool:
    """Check a document against the schema that this machine's cloud-init has for it.

    :param name: ``cloud-config-v1``, ``network-config-v1`` or ``network-config-v2``.
    :returns: whether there was a schema to check against.
    :raises Failure: for the first value that the schema refuses.
    """
    schema = load(name)
    jsonschema = optional("jsonschema")
    if schema is None or jsonschema is None or parsed.data is None:
        return False
    error = jsonschema.exceptions.best_match(jsonschema.Draft4Validator(schema).iter_errors(parsed.data))
    if error is None:
        return True
    path = (*error.absolute_path, *unknown_keys(error)[:1])
    where = place(parsed, path, option) if is_text else place(Parsed(None, None), path, option)
    raise Failure(
        f"{where}: {explain(error)}, says the schema of this machine's cloud-init. "
        "For a guest whose cloud-init knows more, set schema to skip."
    )


def load(name: str) -> dict[str, Any] | None:
    """The schema of that name as this machine's cloud-init has it; None where it has none."""
    for folder in _folders():
        try:
            with open(os.path.join(folder, f"schema-{name}.json"), encoding="utf-8") as file:
                found: dict[str, Any] = json.load(file)
                return found
        except (OSError, ValueError):
            continue
    return None


def explain(error: Any) -> str:
    """What a schema error says, without the value that is wrong: that may be a password."""
    rule, wanted = error.validator, error.validator_value
    if rule == "type":
        return f"must be of the type {wanted if isinstance(wanted, str) else ' or '.join(wanted)}"
    if rule == "enum":
        return f"must be one of {', '.join(map(str, wanted))}"
    if rule == "required":
        return f"lacks {', '.join(key for key in wanted if key not in error.instance)}"
    if rule == "additionalProperties" and (unknown := unknown_keys(error)):
        near = difflib.get_close_matches(unknown[0], map(str, error.schema.get("properties", ())), 1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        also = f", nor {', '.join(unknown[1:])}" if unknown[1:] else ""
        return f"there is no such key{meant}{also}"
    if rule in ("anyOf", "oneOf"):
        return "has none of the forms that are allowed here"
    return f"breaks the rule {rule}: {json.dumps(wanted)[:200]}"


def unknown_keys(error: Any) -> list[str]:
    """The keys that a mapping must not have, where that is the error."""
    if error.validator != "additionalProperties" or not isinstance(error.instance, dict):
        return []
    patterns = error.schema.get("patternProperties", {})
    known = error.schema.get("properties", {})
    return [
        str(key)
        for key in error.instance
        if key not in known and not any(re.search(pattern, str(key)) for pattern in patterns)
    ]


def _folders() -> Iterator[str]:
    """Where the schemas may be, first beside the cloud-init that this interpreter would import."""
    found = importlib.util.find_spec("cloudinit")
    packages = list(found.submodule_search_locations or []) if found else []
    for package in (*packages, *sorted(glob.glob(_SYSTEM_PATTERN))):
        yield os.path.join(package, "config", "schemas")
