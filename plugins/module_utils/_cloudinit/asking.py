# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking an agent in a guest how its cloud-init ended, where no port brings the answer by itself."""

from __future__ import annotations

import io
import json
import posixpath
import time
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import (
    Command,
    Guest,
    GuestError,
    GuestUnreachable,
    open_guest,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import status
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

# There while cloud-init has ended since the guest booted: a file, or a link to one.
_RESULT = "/run/cloud-init/result.json"
_UNFINISHED = ("running", "not run", "not started")
_REFUSED = (wire.DENIED, wire.METHOD_NOT_FOUND)
_ONE_QUESTION = 60.0  # seconds
_FIRST_PAUSE = 1.0  # seconds until it is asked again; meanwhile other programs may use the agent
_LONGEST_PAUSE = 10.0


def ask(hypervisor: Hypervisor, uuid: str, deadline: Deadline) -> tuple[status.Status | None, str]:
    """How cloud-init ended; else None, and why that is not known at the deadline, as a sentence.

    :raises Failure: when no agent is there until the deadline, or it may not tell.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            found = _ask_once(hypervisor, uuid, deadline)
            if found.word not in _UNFINISHED:
                return found, ""
            why = f"Its agent says of cloud-init: {found.word}."
        except GuestUnreachable as failure:  # cloud-init may start the guest again
            why = failure.message
        remaining = deadline.remaining
        if remaining == 0:
            return None, why
        time.sleep(pause if remaining is None else min(pause, remaining))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _ask_once(hypervisor: Hypervisor, uuid: str, deadline: Deadline) -> status.Status:
    remaining = deadline.remaining
    wait = _ONE_QUESTION if remaining is None else remaining
    with open_guest(hypervisor, uuid, wait=wait, timeout=max(1.0, min(_ONE_QUESTION, wait))) as guest:
        try:
            return _from_program(guest)
        except GuestError as error:
            if error.code == wire.NOT_FOUND:
                return status.Status("unknown", "There is no cloud-init in the guest.")
            if error.code not in _REFUSED:
                raise
        try:
            return _from_file(guest)
        except GuestError as error:
            if error.code not in _REFUSED:
                raise
            raise Failure(
                f"The agent in {guest.where} may neither run cloud-init nor read {_RESULT}, so it cannot tell how "
                "cloud-init ended. Allow one of them in the guest, or do not wait for cloud-init."
            ) from error


def _from_program(guest: Guest) -> status.Status:
    # Its exit status is not 0 for errors and warnings, too.
    ended = guest.run(Command(["cloud-init", "status", "--long"]), _ONE_QUESTION)
    return status.read_status((ended.stdout or ended.stderr)[: status.MAXIMUM])


def _from_file(guest: Guest) -> status.Status:
    facts = guest.stat(_RESULT, timeout=_ONE_QUESTION)
    if facts is None:
        return status.Status("running", "")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(_RESULT), facts.target or _RESULT))
    content = io.BytesIO()
    guest.get(path, content, timeout=_ONE_QUESTION, most=status.MAXIMUM)
    return status.read_status(_as_report(content.getvalue()))


def _as_report(content: bytes) -> bytes:
    """The words of ``cloud-init status --long`` for what result.json holds."""
    try:
        found: Any = json.loads(content)["v1"]
        errors, source = found["errors"], found["datasource"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return content
    lines = [f"status: {'error' if errors else 'done'}", f"detail: {source}", f"errors: {json.dumps(errors)}"]
    return "\n".join(lines).encode("utf-8", "replace")
