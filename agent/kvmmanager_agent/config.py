# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration: one JSON file, every key of which is checked.

README.md documents it, config.schema.json is its schema.
"""

import json
import os
import stat
from typing import Any, Callable, Dict, List, NamedTuple, Set

from . import names
from .policy import Limits, Policy, canonical
from .registry import METHODS, PROFILES
from .wire import PORT_NAME

DEFAULT_PATH = "/etc/kvmmanager-agent.json"
DEFAULT_PORT = "/dev/virtio-ports/" + PORT_NAME
_MAX_SIZE = 1024 * 1024
# What the limits may be at most.
HIGHEST = {
    "concurrent": 64,
    "output": 1024**3,
    "file_size": 1024**5,
    "seconds": 7 * 24 * 60 * 60,
    "warm_python": 24 * 60 * 60,
}
_LEAST = {"warm_python": 0}  # all others at least 1
_ROOTS = {"monitor": (), "files": (), "full": ("/",)}


class ConfigError(Exception):
    """The configuration cannot be used; the message names the key."""


class Config(NamedTuple):
    """What the file says."""

    port: str
    policy: Policy


def load(path: str, required: bool = True) -> Config:
    """Read a file. One that is missing means all defaults, unless it is ``required``."""
    try:
        text = _read(path)
    except FileNotFoundError:
        if required:
            raise ConfigError(f"{path} does not exist") from None
        text = "{}"
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is not JSON: {error}") from None
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    try:
        return parse(value)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _read(path: str) -> str:
    # The agent reads it again in its event loop, which must not wait for whatever may stand there.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ConfigError(f"{path} is not a regular file")
        with open(handle, "rb", closefd=False) as stream:
            content = stream.read(_MAX_SIZE + 1)
    finally:
        os.close(handle)
    if len(content) > _MAX_SIZE:
        raise ConfigError(f"{path} has more than {_MAX_SIZE} bytes")
    return content.decode("utf-8")


def parse(value: Any) -> Config:
    """Check a configuration and give its meaning."""
    top = _object(value, "the file", ("profile", "port", "methods", "paths", "programs", "limits"))
    profile = top.get("profile", "monitor")
    if profile not in PROFILES:
        raise ConfigError("profile must be one of {}, not {}".format(", ".join(PROFILES), _shown(profile)))
    methods = _object(top.get("methods", {}), "methods", ("allow", "block"))
    paths = _object(top.get("paths", {}), "paths", ("read", "write"))
    policy = Policy(
        profile=profile,
        allow=frozenset(_list(methods, "allow", "methods.allow", _method_name)),
        block=frozenset(_list(methods, "block", "methods.block", _method_name)),
        read=tuple(_list(paths, "read", "paths.read", _absolute, _ROOTS[profile])),
        write=tuple(_list(paths, "write", "paths.write", _absolute, _ROOTS[profile])),
        programs=frozenset(map(canonical, _list(top, "programs", "programs", _absolute)))
        if "programs" in top
        else None,
        limits=_limits(_object(top.get("limits", {}), "limits", Limits._fields)),
    )
    return Config(_absolute(top.get("port", DEFAULT_PORT), "port"), policy)


def _unique(pairs: List[Any]) -> Dict[str, Any]:
    seen: Set[str] = set()
    for name, _value in pairs:
        if name in seen:
            raise ConfigError(f"{_key(name)} stands there twice")
        seen.add(name)
    return dict(pairs)


def _integer(digits: str) -> float:
    # Python takes quadratic time for long ones. What is too long is none of the limits' either.
    return int(digits) if len(digits) <= 20 else float("inf")


def _shown(value: Any) -> str:
    """A value in a message of one line."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    # As JSON writes it: null, true, and text with whatever it holds escaped.
    return json.dumps(value)[:100]


def _key(name: str) -> str:
    return json.dumps(name)[1:-1][:100]


def _object(value: Any, where: str, known: Any) -> Dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{where} must be an object, not {_shown(value)}")
    for name in value:
        if name not in known:
            message = "{} has the unknown key {}; it may have {}".format(where, _key(name), ", ".join(known))
            raise ConfigError(message)
    return value


def _list(
    values: Dict[str, Any], key: str, where: str, check: Callable[[Any, str], str], default: Any = ()
) -> List[str]:
    value = values.get(key, list(default))
    if not isinstance(value, list):
        raise ConfigError(f"{where} must be a list, not {_shown(value)}")
    return [check(item, where) for item in value]


def _method_name(value: Any, where: str) -> str:
    if not isinstance(value, str) or value not in METHODS:
        raise ConfigError(f"{where} must hold names of methods, not {_shown(value)}")
    return value


def _absolute(value: Any, where: str) -> str:
    if not isinstance(value, str) or not os.path.isabs(value) or "\0" in value or not _is_text(value):
        raise ConfigError(f"{where} must hold absolute paths, not {_shown(value)}")
    if ".." in value.split("/"):
        raise ConfigError(f"{where} must not hold .., as {_shown(value)} does")
    return os.path.normpath("/" + value.lstrip("/"))


def _is_text(value: str) -> bool:
    try:
        names.encode(value)
    except UnicodeEncodeError:
        return False
    return True


def _limits(values: Dict[str, Any]) -> Limits:
    for name, value in values.items():
        least, highest = _LEAST.get(name, 1), HIGHEST[name]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= highest:
            raise ConfigError(f"limits.{name} must be a whole number from {least} to {highest}, not {_shown(value)}")
    return Limits(**values)


def describe(config: Config) -> str:
    """What a configuration allows, in words."""
    policy = config.policy
    allowed = policy.methods()
    lines = [
        f"The host on {config.port} may call, by the profile {policy.profile}:",
        "  " + (", ".join(allowed) or "nothing"),
    ]
    if any(name.startswith("file_") for name in allowed):
        lines.append("It may read files below: " + (", ".join(policy.read) or "nowhere"))
        lines.append("It may change files below: " + (", ".join(policy.write) or "nowhere"))
    if "exec" in allowed or "exec_command" in allowed:
        programs = "any program" if policy.programs is None else ", ".join(sorted(policy.programs)) or "no program"
        lines.append("It may run, as any user: " + programs)
    limits = policy.limits
    lines.append(
        f"At most {limits.concurrent} requests run at a time, each for at most {limits.seconds} seconds; "
        f"a command's output is cut after {limits.output} bytes, a file that is written after {limits.file_size}."
    )
    return "\n".join(lines)
