# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A disk that somebody else fills while a volume is uploaded: the look at what is left came before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, connect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.upload_mark import marks
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_create import create_with_content
from tests.lab import Host, Lab

FOLDER = "/var/lib/libvirt/images/full"
MIB = 1024 * 1024
CONTENT, SIZE = 6, 8  # MiB: the content would fit


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Hosts with a pool on a small file system of its own."""
    with Lab(name=f"full{os.getpid()}", hosts=[Host("bookworm", "bookworm"), Host("trixie", "trixie")]) as running:
        for host in running.hosts:
            host.run(["mkdir", "-p", FOLDER])
            # The daemon sees it: it is mounted in the namespace that all of the host shares.
            host.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "none", FOLDER])
            with connect(ConnectionOptions(host.uri)) as hypervisor:
                pool = hypervisor.connection.storagePoolDefineXML(
                    f"<pool type='dir'><name>full</name><target><path>{FOLDER}</path></target></pool>"
                )
                pool.setAutostart(1)  # for a daemon that has died
                pool.create(0)
        yield running


@pytest.fixture(params=[True, False], ids=["early", "at the last blocks"])
def early(request: pytest.FixtureRequest) -> bool:
    """When the disk becomes full. At the end, libvirt 9.0 says nothing of it."""
    return bool(request.param)


def upload(host: Any, early: bool) -> None:
    """Write a volume ``v``, while somebody else takes all the space that there is."""

    def source() -> Iterator[bytes]:
        for number in range(CONTENT):
            if number == (1 if early else CONTENT - 1):
                host.run(["dd", "if=/dev/zero", f"of={FOLDER}/filler", "bs=64k"], check=False)
            yield os.urandom(MIB)

    with connect(ConnectionOptions(host.uri, keepalive_interval=1, connect_timeout=3)) as hypervisor:
        pool = hypervisor.connection.storagePoolLookupByName("full")
        create_with_content(hypervisor, pool, "v", source(), CONTENT * MIB)


def files(host: Any) -> list[str]:
    """What is in the pool's folder, without what took the space, which goes."""
    host.run(["rm", f"{FOLDER}/filler"])
    return sorted(host.run(["ls", "-A", FOLDER]).stdout.split())


def test_the_upload_fails_and_leaves_nothing(lab: Lab, early: bool) -> None:
    host: Any = lab["bookworm"]
    with pytest.raises(Failure, match=r"Cannot write the volume 'v': .*No space left on device"):
        upload(host, early)
    assert files(host) == []


def test_a_daemon_that_the_full_disk_kills_leaves_what_the_next_run_replaces(lab: Lab) -> None:
    """libvirt 11.3 crashes, or hangs, when a write of an upload fails."""
    host: Any = lab["trixie"]
    with pytest.raises(Failure, match=r"Cannot write the volume 'v': .*The next run of this task replaces it\.$"):
        upload(host, early=True)
    left = files(host)
    host.stop_daemon()
    host.start_daemon()
    with connect(ConnectionOptions(host.uri)) as hypervisor:
        pool = hypervisor.connection.storagePoolLookupByName("full")
        assert left == ["v", *marks(hypervisor, pool, "v")]
        assert len(left) == 2
