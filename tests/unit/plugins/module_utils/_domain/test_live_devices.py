# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking a device away from a domain that has a will of its own, and listening to it."""

from __future__ import annotations

from typing import Any

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.events import DomainEvents
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.live_devices import detach
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import parse
from tests.unit.plugins.module_utils._domain.examples import define


class StopsInstead:
    """A domain that stops when a device is to be taken away; the rest of it is the test driver's."""

    def __init__(self, domain: Any) -> None:
        self.domain = domain
        self._o = domain._o
        self._conn = domain._conn

    def detachDeviceFlags(self, _xml: str, _flags: int) -> None:
        self.domain.destroy()


def test_a_domain_that_stops_ends_the_wait_for_a_device(hypervisor: Hypervisor) -> None:
    domain = define(hypervisor, "web1")
    domain.create()
    device = parse("<interface type='user'><alias name='net0'/></interface>")
    deadline = Deadline(30)
    with pytest.raises(Failure, match="the domain stopped meanwhile"):
        detach(hypervisor, Handle("web1", StopsInstead(domain)), "interface", device, deadline)
    assert (deadline.remaining or 0) > 20


def test_a_refused_close_callback_is_a_sentence(hypervisor: Hypervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> None:
        raise libvirt.libvirtError("no more callbacks")

    monkeypatch.setattr(hypervisor.connection, "registerCloseCallback", refuse)
    with (
        pytest.raises(Failure, match="^Cannot listen for events: no more callbacks"),
        DomainEvents(hypervisor, define(hypervisor, "web1")),
    ):
        pass
