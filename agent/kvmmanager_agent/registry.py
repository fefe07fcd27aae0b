# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of methods. Each says which profile begins to allow it, and which parameters it takes."""

import os
from typing import Any, Callable, Dict, NamedTuple, Optional

from . import names
from . import params as parameters
from .wire import EXISTS, INTERNAL_ERROR, NOT_FOUND, SYSTEM_ERROR, WireError

# Each profile allows what those before it allow, and more.
PROFILES = ("monitor", "files", "full")

_Handler = Callable[[Any, Dict[str, Any]], Dict[str, Any]]


class Method(NamedTuple):
    """A method that a host can call.

    :ivar handler: takes the job and the checked parameters, returns the result.
    :ivar instant: runs in the event loop: it does not block, and answers however busy the workers are.
    :ivar urgent: runs even when too much runs already, and while file systems are frozen.
    :ivar stream: for the parameters the stream that the host may send without waiting for credit, or none.
    """

    name: str
    profile: str
    params: Dict[str, parameters.Param]
    handler: _Handler
    instant: bool
    urgent: bool
    stream: Callable[[Dict[str, Any]], str]

    @property
    def may_write(self) -> bool:
        """Whether it could wait for a frozen file system, and so must not begin."""
        return self.profile != "monitor" and not self.instant and not self.urgent

    def read(self, values: Dict[str, Any]) -> Dict[str, Any]:
        """The checked parameters of a request."""
        return parameters.read(self.params, values)

    def call(self, job: Any, values: Dict[str, Any]) -> Any:
        """The result, or the `WireError` that became of the request. Raises nothing: the agent lives on."""
        try:
            return self.handler(job, values)
        except WireError as error:
            return error
        except OSError as error:
            return _system_error(error)
        except Exception as error:
            # The kind of error tells a developer where to look; its text might hold what was passed in.
            return WireError(INTERNAL_ERROR, f"{self.name} failed in the agent: {type(error).__name__}")


METHODS: Dict[str, Method] = {}


def no_stream(_params: Dict[str, Any]) -> str:
    """The host sends nothing but the request."""
    return ""


def method(
    name: str,
    profile: str,
    params: Optional[Dict[str, parameters.Param]] = None,
    instant: bool = False,
    urgent: bool = False,
    stream: Callable[[Dict[str, Any]], str] = no_stream,
) -> Callable[[_Handler], _Handler]:
    """Register the decorated function as a method."""

    def register(handler: _Handler) -> _Handler:
        METHODS[name] = Method(name, profile, params or {}, handler, instant, urgent, stream)
        return handler

    return register


def methods_of(profile: str) -> Dict[str, Method]:
    """The methods that a profile allows, by name."""
    included = PROFILES[: PROFILES.index(profile) + 1]
    return {name: found for name, found in METHODS.items() if found.profile in included}


def _system_error(error: OSError) -> WireError:
    codes = {FileNotFoundError: NOT_FOUND, FileExistsError: EXISTS}
    text = os.strerror(error.errno) if error.errno else type(error).__name__
    name = names.decode(error.filename) if isinstance(error.filename, bytes) else error.filename
    code = codes.get(type(error), SYSTEM_ERROR)
    return WireError(code, f"{name}: {text}" if isinstance(name, str) else text, {"errno": error.errno or 0})
