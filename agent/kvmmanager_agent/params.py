# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameters of a method: what it takes, checked before it runs. An unknown or ill-typed one is an error."""

import math
from typing import Any, Callable, Dict, List, Optional

from . import names
from .wire import INVALID_PARAMS, WireError

Check = Callable[[Any], Any]
REQUIRED = object()


class Param:
    """One parameter.

    :param check: returns the value to use, or raises ValueError with what it must be.
    :param default: what a request without it means; without a default it is required.
    """

    def __init__(self, check: Check, default: Any = REQUIRED) -> None:
        self.check = check
        self.default = default


def read(known: Dict[str, Param], params: Dict[str, Any]) -> Dict[str, Any]:
    """The values of all ``known`` parameters; `WireError` names the first that is wrong."""
    for name in params:
        if name not in known:
            raise WireError(INVALID_PARAMS, f"unknown parameter {name:.100}")
    return {name: _value(name, param, params) for name, param in known.items()}


def _value(name: str, param: Param, params: Dict[str, Any]) -> Any:
    if params.get(name) is None:
        if param.default is REQUIRED:
            raise WireError(INVALID_PARAMS, f"the parameter {name} is missing")
        return param.default
    try:
        return param.check(params[name])
    except ValueError as error:
        raise WireError(INVALID_PARAMS, f"{name} must be {error}") from None


def text(longest: int = 4096) -> Check:
    """A string without NUL."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or len(value) > longest or "\0" in value:
            raise ValueError(f"a string of at most {longest} characters, without NUL")
        try:
            names.encode(value)
        except UnicodeEncodeError:
            raise ValueError("text that UTF-8 can hold") from None
        return value

    return check


def choice(*values: str) -> Check:
    """One of some strings."""

    def check(value: Any) -> str:
        if value not in values:
            raise ValueError("one of {}".format(", ".join(values)))
        return str(value)

    return check


def integer(least: int, most: int) -> Check:
    """A whole number."""

    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return check


def number(least: float, most: float) -> Check:
    """A number, whole or not."""

    def check(value: Any) -> float:
        known = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not known or not math.isfinite(value) or not least <= value <= most:
            raise ValueError(f"a number from {least:g} to {most:g}")
        return float(value)

    return check


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def words(most: int = 4096, least: int = 1) -> Check:
    """A list of strings."""
    word = text(128 * 1024)

    def check(value: Any) -> List[str]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise ValueError(f"a list of {least} to {most} strings")
        return [word(item) for item in value]

    return check


def mapping(value: Any) -> Dict[str, str]:
    """An object whose values are strings."""
    word = text(128 * 1024)
    if not isinstance(value, dict) or len(value) > 1024:
        raise ValueError("an object of at most 1024 strings")
    for name in value:
        if not name or "=" in name:
            raise ValueError("an object whose names are those of environment variables")
    return {word(name): word(item) for name, item in value.items()}


def optional(check: Check, default: Optional[Any] = None) -> Param:
    """A parameter that may be left out."""
    return Param(check, default)
