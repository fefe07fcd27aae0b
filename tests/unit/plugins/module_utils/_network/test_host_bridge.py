# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a bridge of the host is there, as far as anybody can tell."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._network.host_bridge import doubt_about


class FakeHypervisor:
    """A host with some interfaces, or without libvirt's interface driver; and some devices, or no such driver."""

    uri = "qemu+ssh://kvm1/system"

    def __init__(self, interfaces: list[str] | None, devices: list[str] | None) -> None:
        self.connection = self
        self._interfaces, self._devices = interfaces, devices

    def interfaceLookupByName(self, name: str) -> str | None:
        if self._interfaces is None:
            raise Failure("no interface driver")
        return name if name in self._interfaces else None

    def listDevices(self, _kind: str, _flags: int) -> list[str]:
        if self._devices is None:
            raise Failure("no device driver")
        return self._devices

    def call(self, _doing: str, function: Any, *args: Any) -> Any:
        return function(*args)

    find = call


@pytest.mark.parametrize(
    ("interfaces", "devices", "certain"),
    [
        (["eth0", "br-lan"], [], None),
        (["eth0"], ["net_br_lan_52_54_00_00_00_01"], True),
        (None, ["net_br_lan_52_54_00_00_00_01"], None),
        (None, ["net_br_lan2_52_54_00_00_00_01"], False),
        (None, None, False),
    ],
)
def test_a_bridge_is_missing_when_the_interface_driver_says_so(
    interfaces: list[str] | None, devices: list[str] | None, certain: bool | None
) -> None:
    hypervisor: Any = FakeHypervisor(interfaces, devices)
    doubt = doubt_about(hypervisor, "br-lan")
    assert (None if doubt is None else doubt.certain) is certain
    assert doubt is None or "'br-lan'" in doubt.sentence
