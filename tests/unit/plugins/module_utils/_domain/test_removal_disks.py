# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which disks go with a domain: none that something else needs."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import (
    ConnectionOptions,
    Hypervisor,
    connect,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import find_domain, read_domain
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.removal import find_doomed
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from tests.unit.plugins.module_utils._storage.conftest import HOST


@pytest.fixture
def hypervisor(tmp_path: pathlib.Path) -> Iterator[Hypervisor]:
    """A host where the volume web1.qcow2 is laid over base.qcow2, and no domain uses either."""
    host = tmp_path / "host.xml"
    host.write_text(HOST, encoding="utf-8")
    with connect(ConnectionOptions(f"test://{host}")) as opened:
        domain = opened.connection.lookupByName("web1")
        domain.destroy()
        domain.undefine()
        yield opened


def define(hypervisor: Hypervisor, name: str, *files: str) -> None:
    """A stopped domain with these volumes as its disks vda, vdb …; of a stopped one libvirt knows no backing chain."""
    disks = "".join(
        f"<disk type='file' device='disk'><source file='/srv/images/{file}'/>"
        f"<target dev='vd{letter}' bus='virtio'/></disk>"
        for letter, file in zip("ab", files)
    )
    hypervisor.connection.defineXML(
        f"<domain type='test'><name>{name}</name><memory>65536</memory><os><type>hvm</type></os>"
        f"<devices>{disks}</devices></domain>"
    )


def doomed(hypervisor: Hypervisor, *disks: str) -> list[str]:
    current = read_domain(hypervisor, find_domain(hypervisor, "db1", None))
    return [disk.path for disk in find_doomed(hypervisor, current, disks)]


def test_an_image_that_a_volume_is_laid_over_stays(hypervisor: Hypervisor) -> None:
    define(hypervisor, "db1", "base.qcow2")
    with pytest.raises(Failure, match="base.qcow2 is not deleted.*needed by the volume /srv/images/web1.qcow2, which"):
        doomed(hypervisor, "vda")


def test_both_go_together(hypervisor: Hypervisor) -> None:
    define(hypervisor, "db1", "base.qcow2", "web1.qcow2")
    assert doomed(hypervisor, "vda", "vdb") == ["/srv/images/base.qcow2", "/srv/images/web1.qcow2"]


def test_a_disk_that_is_named_twice_is_one(hypervisor: Hypervisor) -> None:
    define(hypervisor, "db1", "web1.qcow2")
    assert doomed(hypervisor, "vda", "vda") == ["/srv/images/web1.qcow2"]


def test_a_disk_of_another_domain_stays(hypervisor: Hypervisor) -> None:
    define(hypervisor, "db1", "web1.qcow2")
    assert doomed(hypervisor, "vda") == ["/srv/images/web1.qcow2"]
    define(hypervisor, "db2", "web1.qcow2")
    with pytest.raises(Failure, match="needed by the stopped domain 'db2' .disk vda. too. Leave that disk out"):
        doomed(hypervisor, "vda")
