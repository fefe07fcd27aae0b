# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checking options where Ansible does not: those of modules that run on the controller, and dicts of the inventory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure


def checked(given: Any, spec: dict[str, Any], option: str, **constraints: Any) -> dict[str, Any]:
    """The options in a dict, each of its type, None where not given.

    :param spec: as the argument spec of a module.
    :param option: what the dict belongs to, for the error.
    :param constraints: ``required_one_of`` … of `ArgumentSpecValidator`.
    :raises Failure: for what does not fit the spec.
    """
    if not isinstance(given, dict):
        raise Failure(f"{option} must be a dictionary with the keys {', '.join(spec)}.")
    return validated(given, spec, constraints, before=f"{option}: ")


def validated(
    given: Mapping[str, Any], spec: dict[str, Any], constraints: Mapping[str, Any], before: str = ""
) -> dict[str, Any]:
    """The options, each of its type, None where not given.

    :param before: what the sentence of an error begins with.
    :raises Failure: for what does not fit the spec.
    """
    result = ArgumentSpecValidator(spec, **constraints).validate({key: _decrypted(given[key]) for key in given})
    if result.error_messages:
        raise Failure(f"{before}{'; '.join(map(_said, result.errors.errors))}.")
    return dict(result.validated_parameters)


def _decrypted(value: Any) -> Any:
    """What an inline ``!vault`` holds; until ansible-core 2.19 such a value is a text in all but its type."""
    return str(value) if getattr(value, "__ENCRYPTED__", False) else value


def _said(error: Exception) -> str:
    said = str(error).rstrip(".")
    # Of this error Ansible leaves it to the caller to say what is wrong.
    return f"Unsupported parameters: {said}" if isinstance(error, UnsupportedError) else said


def templated(given: Any, template: Callable[[str], Any]) -> Any:
    """The options of a dict with their templates filled in; anything else as it is.

    :param template: what fills one in, ``Templar.template``.
    """
    if not isinstance(given, dict):
        return given
    return {key: template(value) if isinstance(value, str) and "{{" in value else value for key, value in given.items()}
