# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which libvirt daemon the demo uses: the system's where that is allowed, else the user's own."""

from __future__ import annotations

import os

import libvirt

from . import services
from .common import DemoError, remember, remembered, say

SYSTEM = "qemu:///system"
SESSION = "qemu:///session"


def choose() -> str:
    """The URI of the daemon, which answers. Starts the system's daemons where nobody else does.

    :raises DemoError: no daemon answers.
    """
    uri = _choose()
    if uri not in used():
        remember("uris", [*used(), uri])
    return uri


def used() -> list[str]:
    """Every daemon on which there may be something of the demo: an earlier run may have chosen another one."""
    return list(remembered("uris") or [])


def forget(uri: str) -> None:
    """There is nothing of the demo any more on this daemon."""
    remember("uris", [known for known in used() if known != uri])


def start(uri: str) -> None:
    """Make a daemon answer that the demo used, by starting the system's where that is allowed.

    :raises DemoError: it does not answer.
    """
    error = _open_error(uri)
    if error and uri == SYSTEM and os.geteuid() == 0:
        services.start()
        error = _open_error(uri)
    if error:
        advice = "Start it, or repeat this as the user who ran the demo."
        raise DemoError(f"{uri}, on which the demo made VMs, does not answer: {error}. {advice}")


def _choose() -> str:
    if chosen := os.environ.get("KVMMANAGER_DEMO_URI"):
        _check(chosen)
        say(f"using {chosen}, as KVMMANAGER_DEMO_URI says")
        return chosen
    if _open_error(SYSTEM) is None:
        say(f"using the system's libvirt daemon, {SYSTEM}")
        return SYSTEM
    if os.geteuid() == 0:
        services.start()
        _check(SYSTEM)
        return SYSTEM
    say(f"this user may not use {SYSTEM} (members of the group libvirt may): using the user's own, {SESSION}")
    say("it has no bridge, so the VMs get user-mode networking: they reach the world, and nothing reaches them")
    _check(SESSION)
    return SESSION


def _check(uri: str) -> None:
    if error := _open_error(uri):
        raise DemoError(f"{uri} does not answer: {error}. Start libvirt, or name a daemon with KVMMANAGER_DEMO_URI.")


def _open_error(uri: str) -> str | None:
    """Why the daemon does not let this user in, to change things too, or None where it does."""
    libvirt.registerErrorHandler(lambda _context, _error: None, None)  # else libvirt prints each error
    try:
        libvirt.open(uri).close()
    except libvirt.libvirtError as error:
        return str(error)
    return None
