# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hypervisor of libvirt's test driver, fresh for each test: real libvirt, no daemon, no disk."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import (
    ConnectionOptions,
    Hypervisor,
    connect,
)

HOST = """
<node>
  <pool type='dir'>
    <name>images</name>
    <uuid>59e7d872-c14c-400d-9765-c707e77576b1</uuid>
    <target><path>/srv/images</path></target>
    <volume type='file'>
      <name>base.qcow2</name>
      <capacity unit='GiB'>2</capacity>
      <target><path>/srv/images/base.qcow2</path><format type='qcow2'/></target>
    </volume>
    <volume type='file'>
      <name>web1.qcow2</name>
      <capacity unit='GiB'>4</capacity>
      <target><path>/srv/images/web1.qcow2</path><format type='qcow2'/></target>
      <backingStore><path>/srv/images/base.qcow2</path><format type='qcow2'/></backingStore>
    </volume>
  </pool>
  <domain type='test'>
    <name>web1</name>
    <memory>65536</memory>
    <os><type>hvm</type></os>
    <devices>
      <disk type='file' device='disk'>
        <source file='/srv/images/web1.qcow2'/>
        <backingStore type='file'><format type='qcow2'/><source file='/srv/images/base.qcow2'/></backingStore>
        <target dev='vda' bus='virtio'/>
      </disk>
    </devices>
  </domain>
</node>
"""


@pytest.fixture
def uri(tmp_path: pathlib.Path) -> str:
    """The URI of a hypervisor that exists while a connection to it is open, alone to whoever opens it."""
    host = tmp_path / "host.xml"
    host.write_text(HOST, encoding="utf-8")
    return f"test://{host}"


@pytest.fixture
def hypervisor(uri: str) -> Iterator[Hypervisor]:
    """A connection that can change things."""
    with connect(ConnectionOptions(uri)) as opened:
        yield opened


@pytest.fixture
def read_only(uri: str) -> Iterator[Hypervisor]:
    """A connection as in check mode: libvirt refuses each change."""
    with connect(ConnectionOptions(uri), read_only=True) as opened:
        yield opened
