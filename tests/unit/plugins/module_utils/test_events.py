# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""libvirt's event loop runs while a connection is open, also in processes that Ansible forks."""

from __future__ import annotations

import multiprocessing
import threading

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.events import DomainEvents
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

TEST_DRIVER = ConnectionOptions(uri="test:///default")
FORKS = multiprocessing.get_context("fork")
PATIENCE = 30  # seconds


def is_running() -> bool:
    return any(thread.name == "libvirt-events" for thread in threading.enumerate())


def test_it_runs_while_a_connection_is_open() -> None:
    assert not is_running()
    first = Hypervisor(TEST_DRIVER)
    second = Hypervisor(TEST_DRIVER)
    first.close()
    assert is_running()
    second.close()
    assert not is_running()


def test_it_does_not_outlive_a_connection_that_could_not_be_opened() -> None:
    with pytest.raises(Failure):
        Hypervisor(ConnectionOptions(uri="test:///nonexistent/file.xml"))
    assert not is_running()


def test_events_come_again_after_it_has_ended() -> None:
    for _time in range(3):
        see_an_event()


def test_events_come_in_forked_processes() -> None:
    see_an_event()
    with FORKS.Pool(4) as workers:
        # Each process has what was registered here, and shares with the others what wakes the loop.
        answers = [workers.apply_async(see_an_event) for _process in range(16)]
        assert [answer.get(PATIENCE) for answer in answers] == [True] * 16


def see_an_event() -> bool:
    """Suspend the driver's own domain, and wait until libvirt tells of it."""
    hypervisor = Hypervisor(TEST_DRIVER)
    try:
        domain = hypervisor.connection.lookupByName("test")
        with DomainEvents(hypervisor, domain, ("lifecycle",)) as events:
            domain.suspend()
            deadline = Deadline(PATIENCE)
            events.next(deadline)
            assert not deadline.passed
        domain.resume()
        return True
    finally:
        hypervisor.close()
