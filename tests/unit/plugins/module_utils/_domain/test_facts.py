# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of the host, and when."""

from __future__ import annotations

import pathlib
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts, Host, read_facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse

DUMPS = pathlib.Path(__file__).parent / "dumps"
REMOTE = "qemu+tcp://kvm1/system"
CAPABILITIES = """<domainCapabilities><domain>kvm</domain><machine>pc-q35-7.2</machine><arch>x86_64</arch>
<os supported='yes'><enum name='firmware'><value>efi</value></enum></os>
<devices><tpm supported='yes'><enum name='backendModel'><value>passthrough</value></enum></tpm></devices>
</domainCapabilities>"""


class OneNetwork:
    """A hypervisor that has one network and tells its capabilities; anything else is an error."""

    uri = REMOTE

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.connection = SimpleNamespace(
            networkLookupByName=lambda name: name if name == "default" else None,
            listAllNetworks=lambda _flags: [SimpleNamespace(name=lambda: "default")],
        )
        self.privileged = SimpleNamespace(domain_capabilities=self._capabilities)

    def call(self, _doing: str, function: Any, *args: Any) -> Any:
        return function(*args)

    find = call

    def _capabilities(self, *args: Any) -> str:
        self.asked.append(args)
        return CAPABILITIES


def stored() -> Element:
    return parse((DUMPS / "bookworm-stored.xml").read_text(encoding="utf-8"))


def test_a_domain_that_stays_as_it_is_costs_no_call() -> None:
    """It has an address only: any call would fail."""
    desired = {
        "memory": "1 GiB",
        "firmware": "uefi",
        "disks": [{"volume": {"pool": "default", "volume": "web1.raw"}}, {"path": "/dev/vg/a"}],
        "interfaces": [{"network": "lab"}, {"user": True}],
    }
    nothing: Any = SimpleNamespace(uri="qemu:///system")
    assert read_facts(nothing, desired, stored()) == Facts()


def test_a_new_domain_asks_for_capabilities_once() -> None:
    hypervisor: Any = OneNetwork()
    facts = read_facts(hypervisor, {"arch": "x86_64"}, None)
    assert facts.host == Host("kvm", "x86_64", ("efi",), tpm=False)
    assert facts.uuid
    assert hypervisor.asked == [(None, "x86_64", None, None)]


def test_a_tpm_for_a_domain_asks_whether_its_machine_can_have_one() -> None:
    hypervisor: Any = OneNetwork()
    assert not read_facts(hypervisor, {"tpm": True}, stored()).host.tpm
    assert hypervisor.asked == [(None, "x86_64", "pc-q35-7.2", "qemu")]


def test_a_missing_network_names_what_is_near() -> None:
    hypervisor: Any = OneNetwork()
    with pytest.raises(Failure, match="Did you mean 'default'"):
        read_facts(hypervisor, {"interfaces": [{"network": "defalt"}]}, None)
