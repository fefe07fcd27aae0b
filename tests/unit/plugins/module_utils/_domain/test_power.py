# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a start asks libvirt for."""

from __future__ import annotations

from typing import Any

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.power import plan_start
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan


class Starts:
    """A domain that remembers with which flags it was started; the test driver knows only some."""

    def __init__(self) -> None:
        self.flags: list[int] = []

    def createWithFlags(self, flags: int) -> None:
        self.flags.append(flags)


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({}, 0),
        ({"paused": True}, libvirt.VIR_DOMAIN_START_PAUSED),
        ({"afresh": True}, libvirt.VIR_DOMAIN_START_FORCE_BOOT),
    ],
)
def test_flags_of_a_start(hypervisor: Hypervisor, options: dict[str, Any], flags: int) -> None:
    domain, plan = Starts(), Plan()
    plan_start(plan, Handle("web1", domain), **options)
    plan.apply(hypervisor)
    assert domain.flags == [flags]
