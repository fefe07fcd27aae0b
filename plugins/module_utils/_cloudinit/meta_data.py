# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``meta-data``: the instance-id and the host name of a guest."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import yaml_text
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

_OPTION = "meta_data"
_LABEL = re.compile(r"^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$")  # RFC 1123, 2.1


def render(value: Any, instance_id: str) -> str:
    """The text of ``meta-data``, with an instance-id.

    :param value: the option: a structure, a text or None.
    :raises Failure: for what cloud-init would not understand.
    """
    parsed = read(value)
    data = parsed.data or {}
    _check(data, parsed)
    if "instance-id" in data:
        return value if isinstance(value, str) else yaml_text.write(data)
    return yaml_text.write({"instance-id": instance_id, **data})


def read(value: Any) -> yaml_text.Parsed:
    """The option ``meta_data`` as data.

    :raises Failure: when it is no mapping.
    """
    parsed = yaml_text.parse(value, _OPTION) if isinstance(value, str) else yaml_text.Parsed(value, None)
    if parsed.data is not None and not isinstance(parsed.data, dict):
        raise Failure(f"{place(parsed, (), _OPTION)}: give a mapping with keys such as local-hostname.")
    return parsed


def instance_id_of(text: str | None) -> str | None:
    """The instance-id of an existing ``meta-data``; None where it has none or is not readable."""
    try:
        data = yaml_text.parse(text or "", _OPTION).data
    except Failure:  # somebody else's file: not ours to judge
        return None
    found = data.get("instance-id") if isinstance(data, dict) else None
    return None if found is None else str(found)


def place(parsed: yaml_text.Parsed, path: tuple[Any, ...], option: str) -> str:
    """Where in an option something is: its path, and its line when the option is a text."""
    dotted = ".".join([option, *map(str, path)])
    line = parsed.line_of(path)
    return dotted if line is None else f"{dotted} (line {line})"


def _check(data: dict[str, Any], parsed: yaml_text.Parsed) -> None:
    if "instance-id" in data:
        check_instance_id(data["instance-id"], place(parsed, ("instance-id",), _OPTION))
    for key in ("local-hostname", "hostname"):
        if key in data:
            _check_host_name(data[key], place(parsed, (key,), _OPTION))


def check_instance_id(value: Any, where: str) -> None:
    """:raises Failure: for an instance-id that is not a text of one line."""
    if not isinstance(value, str) or not value.strip() or "\n" in value:
        raise Failure(f"{where}: an instance-id is a text of one line; put quotes around it.")


def _check_host_name(value: Any, where: str) -> None:
    if not isinstance(value, str) or len(value) > 253 or not all(_LABEL.match(part) for part in value.split(".")):
        raise Failure(
            f"{where}: a host name has letters, digits and hyphens, in parts of at most 63 characters joined by dots."
        )
