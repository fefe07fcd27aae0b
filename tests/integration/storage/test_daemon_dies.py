# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A libvirt daemon that dies: a sentence for who waits, and after an upload no volume that passes for complete."""

from __future__ import annotations

import os
import pathlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, connect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.events import DomainEvents
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.upload_mark import marks
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_create import create_with_content
from tests.lab import Host, Lab

BLOCK = b"x" * 256 * 1024
BLOCKS = 64


@pytest.fixture(scope="module")
def host() -> Iterator[Any]:
    """A host of this module's own, as its daemon is to die."""
    with Lab(name=f"dies{os.getpid()}", hosts=[Host("h1", release="bookworm")]) as lab:
        yield lab.hosts[0]


@pytest.fixture
def options(host: Any) -> Iterator[ConnectionOptions]:
    """How to reach a host with an empty pool ``dies``."""
    options = ConnectionOptions(host.uri, keepalive_interval=1)
    path = pathlib.PurePosixPath("/var/lib/libvirt/images/dies")
    with connect(options) as hypervisor:
        pool = hypervisor.connection.storagePoolDefineXML(
            f"<pool type='dir'><name>dies</name><target><path>{path}</path></target></pool>"
        )
        pool.setAutostart(1)
        pool.create(1)
    yield options
    with connect(options) as hypervisor:
        pool = hypervisor.connection.storagePoolLookupByName("dies")
        for volume in pool.listAllVolumes():
            volume.delete()
        pool.destroy()
        pool.undefine()


def upload(options: ConnectionOptions, in_the_middle: Callable[[], None]) -> None:
    """Create the volume ``v``; something happens when half of its content is sent."""

    def source() -> Iterator[bytes]:
        for number in range(BLOCKS):
            if number == BLOCKS // 2:
                in_the_middle()
            yield BLOCK

    with connect(options) as hypervisor:
        pool = hypervisor.connection.storagePoolLookupByName("dies")
        create_with_content(hypervisor, pool, "v", source(), BLOCKS * len(BLOCK))


def volumes(options: ConnectionOptions) -> tuple[list[str], list[str]]:
    """The names of the volumes that there are, and of the marks of ``v``."""
    with connect(options) as hypervisor:
        pool = hypervisor.connection.storagePoolLookupByName("dies")
        return sorted(pool.listVolumes()), marks(hypervisor, pool, "v")


def test_a_daemon_that_comes_back_is_left_clean(host: Any, options: ConnectionOptions) -> None:
    def restart() -> None:
        host.stop_daemon()
        host.start_daemon()

    with pytest.raises(Failure, match="Cannot write the volume 'v'.*connection.*run the task again.$"):
        upload(options, restart)
    assert volumes(options) == ([], [])


def test_a_daemon_that_stays_away_leaves_a_mark(host: Any, options: ConnectionOptions) -> None:
    with pytest.raises(Failure, match="Cannot write the volume 'v'.*The next run of this task replaces it.$"):
        upload(options, host.stop_daemon)
    host.start_daemon()
    names, marked = volumes(options)
    assert names == sorted(["v", *marked])
    assert len(marked) == 1


def test_who_waits_for_an_event_is_told_at_once(host: Any, options: ConnectionOptions) -> None:
    patience = Deadline(60)
    with connect(options) as hypervisor:
        domain = hypervisor.connection.defineXML(
            "<domain type='qemu'><name>waiting</name><memory>65536</memory><os><type>hvm</type></os></domain>"
        )
        death = threading.Timer(0.5, host.stop_daemon)
        with DomainEvents(hypervisor, domain) as events:
            events.next(Deadline(1))  # that it was defined
            death.start()
            with pytest.raises(
                Failure, match="was lost while waiting for the domain 'waiting': check that libvirtd runs"
            ):
                events.wait(lambda: False, patience)
        death.join()
    assert not patience.passed
    host.start_daemon()
    with connect(options) as hypervisor:
        hypervisor.connection.lookupByName("waiting").undefine()
