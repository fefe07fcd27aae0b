# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options of a module may be, as the module itself tells Ansible; and a check of options against it."""

from __future__ import annotations

import contextlib
import importlib
import pathlib
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.kvmmanager.libvirt.plugins.module_utils import _task
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_options import checked_options

PACKAGE = "ansible_collections.kvmmanager.libvirt.plugins"
PLUGINS = pathlib.Path(__file__).parents[4] / "plugins"
# What a template may become, by the type of its option.
_STANDINS: dict[str, Any] = {"int": 1, "float": 1.0, "bool": True, "list": [], "dict": {}}


class _Told(Exception):
    """The module has told its options."""


def wrong_options(name: str, options: dict[str, Any]) -> list[str]:
    """What Ansible would say about these options of a module; nothing where they are right."""
    if (PLUGINS / "action" / f"{name}.py").exists():
        action = importlib.import_module(f"{PACKAGE}.action.{name}").ActionModule
        try:
            checked_options(filled(options, action.arguments), action.arguments, action.constraints, {})
        except Failure as failure:
            return [failure.message]
        return []
    arguments, constraints = _told(name)
    return list(ArgumentSpecValidator(arguments, **constraints).validate(filled(options, arguments)).error_messages)


def filled(options: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """The options with something that fits in the place of each template."""
    return {option: _filled(value, spec.get(option, {})) for option, value in options.items()}


def _filled(value: Any, spec: dict[str, Any]) -> Any:
    if isinstance(value, str) and "{{" in value:
        return spec["choices"][0] if "choices" in spec else _STANDINS.get(spec.get("type", "str"), value)
    if isinstance(value, dict) and "options" in spec:
        return filled(value, spec["options"])
    if isinstance(value, list):
        inner: dict[str, Any] = {key: spec[key] for key in ("options", "choices") if key in spec}
        inner["type"] = spec.get("elements", "str")
        return [_filled(item, inner) for item in value]
    return value


def _told(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The argument spec of a module, and its constraints, from its own main()."""
    told: list[Any] = []

    def tell(arguments: dict[str, Any], constraints: dict[str, Any]) -> Any:
        told.extend([{**arguments, **_task.CONNECTION_ARGUMENTS}, constraints])
        raise _Told

    main = importlib.import_module(f"{PACKAGE}.modules.{name}").main
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(_Told):
        patch.setattr(_task, "_module", tell)
        main()
    return told[0], told[1]
