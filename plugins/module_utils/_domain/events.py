# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for what happens to a domain: libvirt's events, under one deadline."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt

# How an event is called here → its virDomainEventID.
_KINDS = {
    "lifecycle": "VIR_DOMAIN_EVENT_ID_LIFECYCLE",
    "device_removed": "VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED",
    "device_removal_failed": "VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED",
    "agent": "VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE",
    "reboot": "VIR_DOMAIN_EVENT_ID_REBOOT",
}


@dataclass(frozen=True)
class Event:
    """One event of a domain.

    :ivar kind: ``lifecycle``, ``device_removed``, ``device_removal_failed``, ``agent`` or ``reboot``; ``closed``
        when the connection was lost.
    :ivar details: libvirt's arguments after the domain: a device's alias, or event and detail numbers.
    """

    kind: str
    details: tuple[Any, ...]


class DomainEvents:
    """The events of one domain from entering the ``with`` block on; enter it before acting.

    :param domain: the ``libvirt.virDomain``.
    :param kinds: which events to listen for.
    """

    def __init__(self, hypervisor: Hypervisor, domain: Any, kinds: tuple[str, ...] = ("lifecycle",)) -> None:
        self._hypervisor = hypervisor
        self._domain = domain
        self._kinds = kinds
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._registered: list[int] = []

    def __enter__(self) -> DomainEvents:
        connection = self._hypervisor.connection
        self._hypervisor.call("listen for events", connection.registerCloseCallback, self._closed, None)
        for kind in self._kinds:
            number = getattr(libvirt, _KINDS[kind])
            handler = self._handler(kind)
            self._registered.append(
                self._hypervisor.call(
                    "listen for events", connection.domainEventRegisterAny, self._domain, number, handler, None
                )
            )
        return self

    def __exit__(self, *_error: object) -> None:
        connection = self._hypervisor.connection
        with contextlib.suppress(libvirt.libvirtError):
            connection.unregisterCloseCallback()
        for number in self._registered:
            with contextlib.suppress(libvirt.libvirtError):
                connection.domainEventDeregisterAny(number)

    def next(self, deadline: Deadline) -> Event | None:
        """The next event, or None when the deadline passes first.

        :raises Failure: when the connection to the daemon is lost meanwhile.
        """
        try:
            event = self._queue.get(timeout=deadline.remaining)
        except queue.Empty:
            return None
        if event.kind == "closed":
            raise Failure(
                f"The connection to {self._hypervisor.uri} was lost while waiting for the domain "
                f"'{self._domain.name()}': check that libvirtd runs, then run the task again."
            )
        return event

    def wait(self, condition: Callable[[], bool], deadline: Deadline) -> bool:
        """Whether ``condition()`` became true before the deadline; it is looked at now and after each event."""
        while not condition():
            if self.next(deadline) is None:
                return condition()
        return True

    def _closed(self, _connection: Any, reason: int, _opaque: Any) -> None:
        self._put("closed", reason)

    def _handler(self, kind: str) -> Callable[..., None]:
        return lambda _connection, _domain, *details: self._put(kind, *details[:-1])

    def _put(self, kind: str, *details: Any) -> None:
        self._queue.put(Event(kind, details))
