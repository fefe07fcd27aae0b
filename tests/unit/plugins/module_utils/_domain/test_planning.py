# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens between reading and storing a configuration, on libvirt's test driver."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from tests.unit.plugins.module_utils._domain.examples import define, plan, run


def test_what_somebody_else_stores_meanwhile_is_not_lost(hypervisor: Hypervisor) -> None:
    """A snapshot's new file among others: without it the guest would go back to the image below."""
    uuid = define(hypervisor, "web1").UUIDString()
    made = plan(hypervisor, name="web1", title="mine")
    define(hypervisor, "web1", f"<uuid>{uuid}</uuid><description>theirs</description>")
    with pytest.raises(Failure, match="was changed by someone else during this task, so it was left alone. Run the"):
        made.apply(hypervisor)
    run(hypervisor, name="web1", title="mine")
    stored = hypervisor.connection.lookupByName("web1").XMLDesc()
    assert "<title>mine</title>" in stored
    assert "<description>theirs</description>" in stored


def test_a_rename_and_a_change_are_one_task(hypervisor: Hypervisor) -> None:
    uuid = define(hypervisor, "web1").UUIDString()
    run(hypervisor, name="web2", uuid=uuid, title="mine")
    assert "<title>mine</title>" in hypervisor.connection.lookupByName("web2").XMLDesc()
