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
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.live_devices import attach, detach
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import Running
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import attribute_at, parse
from tests.unit.plugins.module_utils._domain.examples import define


class StopsInstead:
    """A domain that stops when a device is to be taken away; the rest of it is the test driver's."""

    def __init__(self, domain: Any) -> None:
        self.domain = domain
        self._o = domain._o
        self._conn = domain._conn

    def detachDeviceFlags(self, _xml: str, _flags: int) -> None:
        self.domain.destroy()


class TakesDevices:
    """A running domain that keeps what it is given."""

    given = ""

    def attachDeviceFlags(self, xml: str, _flags: int) -> None:
        self.given = xml

    def XMLDesc(self, _flags: int) -> str:
        return f"<domain><devices>{self.given}</devices></domain>"


@pytest.mark.parametrize(
    ("live", "order"),
    [
        ("<os><boot dev='hd'/></os><devices/>", None),
        ("<os/><devices><disk><boot order='2'/></disk></devices>", None),
        ("<os/><devices><disk><boot order='1'/></disk></devices>", "2"),
    ],
)
def test_a_device_comes_with_its_place_in_the_boot_order_where_libvirt_takes_it(
    hypervisor: Hypervisor, live: str, order: str | None
) -> None:
    domain = TakesDevices()
    target = parse("<domain><devices><disk><target dev='vdb'/><boot order='2'/></disk></devices></domain>")
    device = target.find("devices/disk")
    assert device is not None
    running = Running(Handle("web1", domain), parse(f"<domain>{live}</domain>"), target, target, {}, Deadline(1))
    attach(hypervisor, running, "disk vdb", device, lambda now: now.find("devices/disk"))
    assert attribute_at(parse(domain.given), "boot", "order") == order
    assert attribute_at(device, "boot", "order") == "2"


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
