# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guest's administrator allows: methods, paths, programs and amounts."""

import functools
import os
from typing import Any, Dict, FrozenSet, NamedTuple, Optional, Tuple

from . import names
from .registry import METHODS, methods_of
from .wire import DENIED, METHOD_NOT_FOUND, NOT_FOUND, WireError

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Limits(NamedTuple):
    """Amounts that no request can exceed.

    :ivar concurrent: requests that run at a time.
    :ivar output: bytes of each of stdout and stderr of a command; what is more is thrown away and reported.
    :ivar file_size: bytes of a file that is written.
    :ivar seconds: for one request.
    :ivar warm_python: seconds that a Python interpreter is kept ready after the last program; 0 for never.
    """

    concurrent: int = 8
    output: int = 64 * 1024 * 1024
    file_size: int = 1024**4
    seconds: int = 24 * 60 * 60
    warm_python: int = 300


class Policy(NamedTuple):
    """The rules, as the configuration gives them.

    :ivar allow: methods besides those of the profile.
    :ivar block: methods that are refused after all.
    :ivar read: folders below which files may be read and listed.
    :ivar write: folders below which files may be changed.
    :ivar programs: absolute paths of programs that may run; None for all.
    """

    profile: str = "monitor"
    allow: FrozenSet[str] = frozenset()
    block: FrozenSet[str] = frozenset()
    read: Tuple[str, ...] = ()
    write: Tuple[str, ...] = ()
    programs: Optional[FrozenSet[str]] = None
    limits: Limits = Limits()

    def methods(self) -> Dict[str, Any]:
        """The methods that may be called, by name."""
        return _methods(self.profile, self.allow, self.block)

    def refusal(self, method: str) -> WireError:
        """The error for a method that is not among `methods`."""
        if method in METHODS:
            message = f"the guest's policy (profile {self.profile}) does not allow {method}"
            return WireError(DENIED, message)
        return WireError(METHOD_NOT_FOUND, f"this agent has no method {method:.100}")

    def program(self, name: str) -> str:
        """The absolute path to run for a command's first word.

        It is compared with its folder resolved and its own name kept: where many commands are links to one program
        (busybox), allowing one must not allow them all.
        """
        path = _find(name)
        if self.programs is not None and path not in self.programs:
            raise WireError(DENIED, f"the guest's policy does not allow the program {path}")
        return path


@functools.lru_cache(maxsize=2)
def _methods(profile: str, allow: FrozenSet[str], block: FrozenSet[str]) -> Dict[str, Any]:
    """Kept, since each request asks for it; two, since requests may still use the policy before this one."""
    allowed = dict(methods_of(profile))
    allowed.update({name: METHODS[name] for name in allow})
    return {name: allowed[name] for name in sorted(allowed) if name not in block}


def canonical(path: str) -> str:
    """An absolute path with its folder's symbolic links resolved."""
    folder, name = os.path.split(names.encode(path))
    return names.decode(os.path.join(os.path.realpath(folder), name))


def _find(name: str) -> str:
    if os.path.isabs(name):
        return canonical(name)
    if "/" in name or not name:
        raise WireError(DENIED, "a program must be an absolute path or a bare name")
    for folder in SEARCH_PATH.split(":"):
        path = os.path.join(folder, name)
        if os.path.isfile(names.encode(path)) and os.access(names.encode(path), os.X_OK):
            return canonical(path)
    raise WireError(NOT_FOUND, f"the guest has no program {name} in {SEARCH_PATH}")
