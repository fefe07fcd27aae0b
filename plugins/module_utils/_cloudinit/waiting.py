# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting until a guest says how its cloud-init ended.

The guest pushes, over a virtio-serial port; see status.py. Where the domain has no such port, an agent is asked.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.ports import has_port_for_agent
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import status
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.asking import ask
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline, TimedOut, call_within
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import require_domain
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure, explain
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import parse

_BLOCK = 16 * 1024  # bytes taken from the stream at once
_FIRST_PAUSE = 0.5  # seconds
_LONGEST_PAUSE = 10.0


def collect(params: dict[str, Any], hypervisor: Hypervisor) -> dict[str, Any]:
    """What the module cloud_init_info returns.

    :raises Failure: when there is no such domain, it does not run, or nothing comes in time.
    """
    domain = require_domain(hypervisor, params["name"], None)
    found = wait_for_status(hypervisor, domain, params["name"], params["port"], Deadline(params["timeout"]))
    return {"name": params["name"], "status": found.word, "report": found.report}


def wait_for_status(hypervisor: Hypervisor, domain: Any, name: str, port: str, deadline: Deadline) -> status.Status:
    """How cloud-init ended in the guest of ``domain``, a ``libvirt.virDomain``.

    :raises Failure: when the domain does not run, has neither the port nor one for an agent, or nothing comes in time.
    """
    if not _has_port(hypervisor, domain, name, port):
        return _ask_agent(hypervisor, domain, name, deadline)
    stream = _open(hypervisor, domain.UUIDString(), port, deadline)
    try:
        found = _read(stream, name, port, deadline)
    finally:
        with contextlib.suppress(libvirt.libvirtError, TimedOut):
            call_within(5, stream.abort)
    if found is None:
        raise _silent(name, deadline, "")
    return found


def _ask_agent(hypervisor: Hypervisor, domain: Any, name: str, deadline: Deadline) -> status.Status:
    found, why = ask(hypervisor, domain.UUIDString(), deadline)
    if found is None:
        raise _silent(name, deadline, f" {why}")
    return found


def _silent(name: str, deadline: Deadline, why: str) -> Failure:
    return Failure(
        f"The guest of '{name}' did not say within {deadline.seconds or 0:g} seconds (timeout) how its cloud-init "
        f"ended.{why} The domain runs. Check on its console that the guest boots and that cloud-init finds its seed."
    )


def _has_port(hypervisor: Hypervisor, domain: Any, name: str, port: str) -> bool:
    """Whether the domain has the port; if not, it has one for an agent."""
    live = parse(hypervisor.call(f"read the domain '{name}'", domain.XMLDesc, 0))
    if live.get("id") is None:
        raise Failure(
            f"The domain '{name}' does not run, so its guest cannot say how its cloud-init ended. Start it first."
        )
    ports = [target.get("name", "") for target in live.iterfind("devices/channel/target")]
    if port not in ports and not has_port_for_agent(live):
        raise Failure(
            f"The running domain '{name}' has no port {port}, over which its guest could say how its cloud-init ended, "
            "and none for a guest agent that could be asked. Add one to the domain's channels, and start the domain "
            "again."
        )
    return port in ports


def _open(hypervisor: Hypervisor, uuid: str, port: str, deadline: Deadline) -> Any:
    """The port's stream. libvirt gives it to one reader at a time, so another one is waited for, ever less often."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return hypervisor.privileged.open_channel(uuid, port)
        except Failure as failure:
            if "Active channel stream exists" not in failure.message or deadline.passed:
                raise
        time.sleep(min(pause, deadline.remaining or 0.0))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _read(stream: Any, name: str, port: str, deadline: Deadline) -> status.Status | None:
    """The guest's report, as soon as it is whole; None when the deadline passes first."""
    received = b""
    while len(received) < status.MAXIMUM:
        try:
            block = call_within(deadline.remaining, stream.recv, _BLOCK)
        except TimedOut:
            return None
        except libvirt.libvirtError as error:
            raise explain(f"read the port {port} of the domain '{name}'", error) from error
        if not block:
            raise Failure(f"The domain '{name}' stopped, or closed its port {port}, before its cloud-init had ended.")
        received += block
        found = status.find_status(received)
        if found is not None:
            return found
    raise Failure(f"The guest of '{name}' says something else than expected on its port {port}.")
