# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documents of a NoCloud seed, from the task's options to the text of each file.

Format: https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import (
    meta_data,
    network_config,
    schema,
    user_data,
    yaml_text,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

# The option of each file of the seed, in the order in which the files are written.
FILES = {
    "user_data": "user-data",
    "meta_data": "meta-data",
    "network_config": "network-config",
    "vendor_data": "vendor-data",
}

_CLOUD_CONFIG = "#cloud-config\n"


def render(options: Mapping[str, Any], instance_id: str, use_schema: bool = True) -> dict[str, str]:
    """The text of each file of the seed, checked.

    :param options: ``user_data``, ``meta_data``, ``network_config`` and ``vendor_data``, each a
        structure, a text or None.
    :param instance_id: what ``meta-data`` says unless the option has an instance-id itself.
    :param use_schema: whether to check against cloud-init's own schema where this machine has it.
    :raises Failure: for the first thing that cloud-init would refuse or ignore, with its line.
    """
    texts = {
        "user_data": _cloud_config("user_data", options.get("user_data"), use_schema) or _CLOUD_CONFIG,
        "meta_data": meta_data.render(options.get("meta_data"), instance_id),
        "network_config": _network_config(options.get("network_config"), use_schema),
        "vendor_data": _cloud_config("vendor_data", options.get("vendor_data"), use_schema),
    }
    return {FILES[option]: text for option, text in texts.items() if text}


def content_id(options: Mapping[str, Any]) -> str:
    """An instance-id that changes when anything in the options' documents does, and only then."""
    digest = hashlib.sha256()
    for option in FILES:
        value = options.get(option)
        text = value if isinstance(value, str) else "" if value is None else yaml_text.write(value)
        digest.update(f"{option} {len(text)}\n{text}".encode())
    return f"iid-{digest.hexdigest()[:16]}"


def _cloud_config(option: str, value: Any, use_schema: bool) -> str:
    """``user-data`` and ``vendor-data`` have the same format."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        parsed = user_data.check_text(value, option)
        if parsed is not None and use_schema:
            schema.check("cloud-config-v1", parsed, option, is_text=True)
        return value
    if not isinstance(value, dict):
        raise Failure(f"{option}: give a structure of cloud-config's keys, or a text; this is {_kind(value)}.")
    if use_schema:
        schema.check("cloud-config-v1", yaml_text.Parsed(value, None), option, is_text=False)
    return _CLOUD_CONFIG + yaml_text.write(value)


def _network_config(value: Any, use_schema: bool) -> str:
    if value is None or value == "":
        return ""
    is_text = isinstance(value, str)
    parsed = yaml_text.parse(value, "network_config") if is_text else yaml_text.Parsed(value, None)
    version = network_config.check(parsed, "network_config")
    if use_schema:
        schema.check(f"network-config-v{version}", parsed, "network_config", is_text)
    return value if is_text else yaml_text.write(value)


def _kind(value: Any) -> str:
    return {list: "a list", bool: "true or false", int: "a number", float: "a number"}.get(type(value), "neither")
