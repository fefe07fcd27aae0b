# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a hypervisor can do, from libvirt's capabilities."""

from __future__ import annotations

from typing import Any

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._host.capabilities import (
    best_machine,
    describe_cpu,
    describe_features,
    describe_kvm,
    has_iommu,
    version_text,
    virtualization_types,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._host.info import collect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import parse

# Shortened from libvirt 9.0 with QEMU 7.2; a foreign architecture comes first.
HOST = """
<capabilities>
  <host>
    <cpu><arch>x86_64</arch><model>Broadwell</model><vendor>Intel</vendor></cpu>
    <iommu support='yes'/>
  </host>
  <guest>
    <os_type>hvm</os_type>
    <arch name='aarch64'><machine>virt</machine><domain type='qemu'/></arch>
  </guest>
  <guest>
    <os_type>hvm</os_type>
    <arch name='x86_64'>
      <machine maxCpus='255'>pc-i440fx-7.2</machine>
      <machine canonical='pc-q35-7.2' maxCpus='288'>q35</machine>
      <domain type='qemu'/>
      <domain type='kvm'/>
    </arch>
    <features><externalSnapshot/></features>
  </guest>
</capabilities>
"""
DOMAIN = """
<domainCapabilities>
  <machine>pc-q35-7.2</machine>
  <vcpu max='288'/>
  <os supported='yes'>
    <enum name='firmware'><value>efi</value></enum>
    <loader supported='yes'>
      <enum name='type'><value>rom</value><value>pflash</value></enum>
      <enum name='secure'><value>yes</value><value>no</value></enum>
    </loader>
  </os>
  <cpu>
    <mode name='host-passthrough' supported='no'/>
    <mode name='maximum' supported='yes'/>
    <mode name='custom' supported='yes'/>
  </cpu>
  <devices>
    <tpm supported='yes'>
      <enum name='backendModel'><value>passthrough</value><value>emulator</value></enum>
      <enum name='backendVersion'><value>2.0</value></enum>
    </tpm>
  </devices>
  <features><backup supported='yes'/></features>
</domainCapabilities>
"""


def test_the_hosts_own_architecture_is_looked_at() -> None:
    host = parse(HOST)
    assert virtualization_types(host) == ["kvm", "qemu"]
    assert best_machine(host) == "q35"
    assert best_machine(parse(HOST.replace(">q35<", ">virt<"))) is None
    assert describe_cpu(host) == {"arch": "x86_64", "model": "Broadwell", "vendor": "Intel"}
    assert has_iommu(host)
    assert not has_iommu(parse("<capabilities><host/></capabilities>"))


@pytest.mark.parametrize(
    ("offered", "looked_at", "usable", "reason"),
    [
        (True, "", True, None),
        (True, "libvirt-qemu may not open /dev/kvm", False, "libvirt-qemu may not open /dev/kvm"),
        (False, "there is no /dev/kvm", False, "there is no /dev/kvm"),
        (False, "", False, "libvirt does not offer it: check that virtualization is switched on"),
    ],
)
def test_kvm_is_usable_when_it_is_offered_and_nothing_is_in_the_way(
    offered: bool, looked_at: str, usable: bool, reason: str | None
) -> None:
    found = describe_kvm(parse(HOST if offered else HOST.replace("type='kvm'", "type='xen'")), looked_at)
    assert found["usable"] is usable
    assert (found["reason"] or "").startswith(reason or "")
    assert (found["reason"] is None) is usable


def test_what_a_domain_can_have() -> None:
    assert describe_features(parse(HOST), parse(DOMAIN)) == {
        "machine": "pc-q35-7.2",
        "max_vcpus": 288,
        "uefi": True,
        "secure_boot": True,
        "tpm": True,
        "tpm_versions": ["2.0"],
        "external_snapshots": True,
        "backup": True,
        "cpu_modes": ["custom", "maximum"],
    }


@pytest.mark.parametrize(
    ("gone", "feature"),
    [
        ("<value>efi</value>", "uefi"),
        ("<value>efi</value>", "secure_boot"),
        ("<value>yes</value>", "secure_boot"),
        ("<value>emulator</value>", "tpm"),
        ("<externalSnapshot/>", "external_snapshots"),
        ("<backup supported='yes'/>", "backup"),
    ],
)
def test_what_the_capabilities_do_not_name_a_domain_cannot_have(gone: str, feature: str) -> None:
    assert describe_features(parse(HOST.replace(gone, "")), parse(DOMAIN.replace(gone, "")))[feature] is False


def test_versions_are_written_as_people_do() -> None:
    assert version_text(9_000_000) == "9.0.0"
    assert version_text(7_002_022) == "7.2.22"
    assert version_text(11_003_000) == "11.3.0"


class Connection:
    """libvirt's test driver, which has pools and networks but no domain capabilities."""

    def __init__(self) -> None:
        self._real = libvirt.open("test:///default")

    def getCapabilities(self) -> str:
        return HOST

    def getMemoryStats(self, _cell: int, _flags: int) -> dict[str, int]:
        return {"total": 4, "free": 1}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class FakeHypervisor:
    """Calls the function, and remembers what the domain capabilities were asked for."""

    uri = "qemu+ssh://kvm1/system"

    def __init__(self) -> None:
        self.connection = Connection()
        self.asked: tuple[Any, ...] = ()

    @property
    def privileged(self) -> FakeHypervisor:
        return self

    def domain_capabilities(self, *arguments: Any) -> str:
        self.asked = arguments
        return DOMAIN

    def call(self, _doing: str, function: Any, *args: Any) -> Any:
        return function(*args)


def test_everything_comes_together() -> None:
    hypervisor: Any = FakeHypervisor()
    pool = hypervisor.connection.storagePoolDefineXML(
        "<pool type='dir'><name>idle</name><target><path>/idle</path></target></pool>", 0
    )
    try:
        host = collect({}, hypervisor)["host"]
    finally:
        pool.undefine()
    assert hypervisor.asked == (None, "x86_64", "q35", None)
    assert host["hypervisor"] == "TEST"
    assert host["memory"] == {"total": 4096, "free": 1024, "buffers": None, "cached": None}
    assert host["pools"] == [
        {"name": "default-pool", "state": "started"},
        {"name": "idle", "state": "stopped"},
    ]
    assert host["networks"] == [{"name": "default", "state": "started"}]
    assert host["cpu"]["count"] == host["cpu"]["sockets_per_node"] * host["cpu"]["numa_nodes"] * (
        host["cpu"]["cores_per_socket"] * host["cpu"]["threads_per_core"]
    )
    assert host["kvm"] == {"usable": True, "reason": None}
