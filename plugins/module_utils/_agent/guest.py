# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening a session with the agent of a guest."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import (
    Command,
    Ended,
    FileFacts,
    Guest,
    GuestError,
    GuestUnreachable,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor

__all__ = ["Command", "Ended", "FileFacts", "Guest", "GuestError", "GuestUnreachable", "open_guest"]

AGENTS = ("auto", "kvmmanager", "qemu")


@contextlib.contextmanager
def open_guest(
    hypervisor: Hypervisor, domain: str, agent: str = "auto", wait: float = 0.0, timeout: float = 30.0
) -> Iterator[Guest]:
    """A session with the guest's agent for the length of a ``with`` block.

    The live XML is read first: a domain that is off, has no port for an agent, or whose agent has not opened it
    fails at once, with what to do.

    :param hypervisor: a connection that is not read-only, unless only `PrivilegedReads` can be used.
    :param domain: name or uuid.
    :param agent: ``kvmmanager``, ``qemu``, or ``auto``: ours when its port is connected, else qemu-guest-agent.
    :param wait: seconds to wait for the domain to run and its agent to open the port.
    :param timeout: seconds until the agent has answered the first question; another program that uses the port,
        on any machine, is waited for as long.
    :raises GuestUnreachable: when there is no such session to be had; the sentence says why and what to do.
    :raises Failure: when there is no such domain, or libvirt fails.
    """
    raise GuestUnreachable(f"No session with {domain} on {hypervisor.uri}: {agent}, {wait}, {timeout}.")
    yield
