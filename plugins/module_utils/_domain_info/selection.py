# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choosing domains by name, UUID, labels, and a JMESPath expression. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure


def name_filter(patterns: Iterable[str], option: str) -> Callable[[str], bool]:
    """Whether a name matches one of the patterns, written as Ansible's host patterns are.

    :param patterns: ``web*`` is a shell pattern, ``~web[0-9]+$`` a regular expression (anchored at its start).
    :param option: the option's name for the error.
    :raises Failure: for a regular expression that is none.
    """
    expressions = [_expression(pattern, option) for pattern in patterns]
    return lambda name: any(expression.match(name) for expression in expressions)


def uuid_filter(uuids: Iterable[str], option: str) -> Callable[[str], bool]:
    """Whether a UUID is one of these, in upper or lower case, with dashes or without.

    :param option: the option's name for the error.
    :raises Failure: for a UUID that is none.
    """
    wanted = {_digits(uuid, option) for uuid in uuids}
    return lambda uuid: _digits(uuid, option) in wanted


def labels_match(labels: dict[str, str], wanted: dict[str, Any]) -> bool:
    """Whether all wanted labels are there with a value that matches; a value is a shell pattern."""
    return all(name in labels and fnmatch.fnmatchcase(labels[name], str(pattern)) for name, pattern in wanted.items())


def compile_query(expression: str, option: str) -> Callable[[Any], Any]:
    """What a JMESPath expression (https://jmespath.org/) finds in plain data.

    :raises Failure: when the library jmespath is missing, or for an expression that is none; the function raises
        it for data that the expression cannot be used on.
    """
    try:
        import jmespath  # takes long to import, and few need it
    except ImportError:
        raise Failure(
            f"{option} needs the Python library jmespath, which is missing: install python3-jmespath "
            f"(Debian, Fedora) or jmespath (pip), or leave {option} out."
        ) from None
    try:
        compiled = jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        raise _bad_query(expression, option, error) from error

    def search(data: Any) -> Any:
        try:
            return compiled.search(data)
        except jmespath.exceptions.JMESPathError as error:
            raise _bad_query(expression, option, error) from error

    return search


def _digits(uuid: str, option: str) -> str:
    digits = uuid.strip().replace("-", "").lower()
    if not re.fullmatch("[0-9a-f]{32}", digits):
        raise Failure(
            f"{option}: '{uuid}' is not a UUID. Write its 32 hexadecimal digits, with dashes or without, as in "
            "6f1c9d2e-5b0a-4b9e-8a51-3d1f0b7c2a10."
        )
    return digits


def _expression(pattern: str, option: str) -> re.Pattern[str]:
    if not pattern.startswith("~"):
        return re.compile(fnmatch.translate(pattern))
    try:
        return re.compile(pattern[1:])
    except re.error as error:
        raise Failure(
            f"{option}: '{pattern}' is not a regular expression: {error}. Correct what follows the ~."
        ) from error


def _bad_query(expression: str, option: str, error: Exception) -> Failure:
    said = " ".join(str(error).split())
    return Failure(
        f"{option}: '{expression}' cannot be used as a JMESPath expression: {said}. See https://jmespath.org/."
    )
