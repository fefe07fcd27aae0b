# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calling qemu-guest-agent through libvirt, whose errors become those of `Guest`."""

from __future__ import annotations

import json
import math
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import GuestError, GuestUnreachable
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.wording import plain
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure, error_code
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt

# What qemu-guest-agent says → the code of PROTOCOL.md, and what to do.
_REFUSALS = (
    (
        "has been disabled",
        wire.DENIED,
        "Allow it in the guest's configuration of qemu-guest-agent: /etc/sysconfig/qemu-ga on Fedora and Red Hat",
    ),
    ("has not been found", wire.METHOD_NOT_FOUND, "Upgrade qemu-guest-agent, or install kvmmanager-agent"),
    ("No such file or directory", wire.NOT_FOUND, "Check the name"),
    ("No space left on device", wire.SYSTEM_ERROR, "Free some space in the guest"),
)
# What libvirt says of an answer that is larger than it carries. After the latter it leaves the agent alone.
_TOO_LARGE = ("Unable to encode message payload", "No complete agent response found")

# Bytes of one command. One of 256 KiB was seen to get lost on its way, and the agent with it for a minute.
MAX_REQUEST = 192 * 1024


class QemuCalls:
    """The commands of one guest's qemu-guest-agent.

    :ivar where: the guest in words.
    :ivar made: how many calls the agent has answered.
    """

    def __init__(self, hypervisor: Hypervisor, uuid: str, where: str) -> None:
        self.where = where
        self._hypervisor = hypervisor
        self._uuid = uuid
        self.made = 0

    def answer(self, command: str, arguments: dict[str, Any], seconds: float) -> Any:
        """What a command returns: any JSON value, at most the 4 MiB that libvirt carries.

        :raises GuestError: when the agent refuses or fails.
        :raises GuestUnreachable: when it does not answer.
        """
        request = json.dumps({"execute": command, "arguments": arguments} if arguments else {"execute": command})
        if len(request) > MAX_REQUEST:
            raise GuestError(
                wire.TOO_LARGE,
                f"{command} for {self.where} is longer than the {MAX_REQUEST} bytes that qemu-guest-agent takes. "
                "Send less, or install kvmmanager-agent.",
            )
        try:
            said = self._hypervisor.privileged.agent_command(self._uuid, request, max(1, math.ceil(seconds)))
        except Failure as failure:
            raise self._refusal(command, failure) from failure
        self.made += 1
        try:
            return json.loads(said)["return"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise self.wrong(command, "an answer in JSON") from None

    def object(self, command: str, arguments: dict[str, Any], seconds: float) -> dict[str, Any]:
        """As `answer`, of a command that returns an object."""
        found = self.answer(command, arguments, seconds)
        if not isinstance(found, dict):
            raise self.wrong(command, "an object")
        return found

    def objects(self, command: str, seconds: float) -> list[dict[str, Any]]:
        """As `answer`, of a command that returns a list of objects."""
        found = self.answer(command, {}, seconds)
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self.wrong(command, "a list of objects")
        return found

    def wrong(self, command: str, expected: str) -> GuestError:
        """The error for an answer that lacks ``expected``."""
        return GuestError(
            wire.INVALID_REQUEST,
            f"{self.where.capitalize()} answered {command} with something else than {expected}. "
            "Check which agent runs in it.",
        )

    def _refusal(self, command: str, failure: Failure) -> Failure:
        cause = failure.__cause__
        if not isinstance(cause, Exception) or not isinstance(cause, libvirt.libvirtError):
            return failure
        said = plain(str(cause))
        if error_code(cause) in (libvirt.VIR_ERR_AGENT_UNRESPONSIVE, libvirt.VIR_ERR_AGENT_UNSYNCED):
            return GuestUnreachable(
                f"qemu-guest-agent in {self.where} does not answer: {said}. Check that it runs in the guest, and that "
                "the guest does not hang."
            )
        if error_code(cause) == libvirt.VIR_ERR_OPERATION_INVALID:
            return GuestUnreachable(f"The connection to {self.where} broke: {said}. Look at the domain.")
        if any(words in said for words in _TOO_LARGE):
            return GuestError(
                wire.TOO_LARGE,
                f"The answer of qemu-guest-agent in {self.where} to {command} is larger than libvirt carries. Ask for "
                "less, or install kvmmanager-agent. When the agent does not answer from now on, start it again in the "
                "guest.",
            )
        for words, code, advice in _REFUSALS:
            if words in said:
                return GuestError(code, f"qemu-guest-agent in {self.where} refuses {command}: {said}. {advice}.")
        return GuestError(wire.SYSTEM_ERROR, f"qemu-guest-agent in {self.where} failed at {command}: {said}.")
