# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the inventory plugin that are dicts: Ansible checks those of modules only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

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
    result = ArgumentSpecValidator(spec, **constraints).validate(given)
    if result.error_messages:
        raise Failure(f"{option}: {'; '.join(result.error_messages)}.")
    return dict(result.validated_parameters)


def templated(given: Any, template: Callable[[str], Any]) -> Any:
    """The options of a dict with their templates filled in; anything else as it is.

    :param template: what fills one in, ``Templar.template``.
    """
    if not isinstance(given, dict):
        return given
    return {key: template(value) if isinstance(value, str) and "{{" in value else value for key, value in given.items()}
