# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a listing shows of a domain."""

from __future__ import annotations

from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.labels import NAMESPACE
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.summary import (
    TEXT_LIMIT,
    summarize,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import parse

OURS = "org.kvmmanager.agent.0"
QEMU = "org.qemu.guest_agent.0"


def summary(inside: str, attributes: str = "") -> dict[str, Any]:
    return summarize(parse(f"<domain type='kvm' {attributes}>{inside}</domain>"))


def channel(name: str, state: str) -> str:
    return f"<channel type='unix'><target type='virtio' name='{name}' {state}/></channel>"


def agent_in(channels: str) -> tuple[str, bool]:
    found = summary(f"<devices>{channels}</devices>")
    return found["agent"], found["agent_connected"]


def test_sizes_are_bytes_and_memory_is_what_the_balloon_leaves() -> None:
    found = summary(
        "<memory unit='GiB'>2</memory><currentMemory unit='KiB'>1048576</currentMemory><vcpu current='2'>4</vcpu>"
    )
    assert (found["memory"], found["max_memory"]) == (1024**3, 2 * 1024**3)
    assert (found["vcpus"], found["max_vcpus"]) == (2, 4)
    assert str(found["memory"]) == "1073741824"  # a Size would print as 1 GiB


def test_without_a_current_value_it_is_the_maximum() -> None:
    found = summary("<memory unit='MiB'>64</memory><vcpu placement='static'>3</vcpu>")
    assert (found["memory"], found["vcpus"]) == (64 * 1024**2, 3)


def test_interfaces_tell_what_they_are_plugged_into() -> None:
    found = summary(
        "<devices>"
        "<interface type='network'><mac address='52:54:00:AA:00:01'/><source network='lan' bridge='virbr7'/>"
        "<target dev='vnet0'/></interface>"
        "<interface type='bridge'><mac address='52:54:00:aa:00:02'/><source bridge='br0'/></interface>"
        "<interface type='user'/>"
        "</devices>"
    )
    assert found["interfaces"] == [
        {"type": "network", "mac": "52:54:00:aa:00:01", "source": "lan", "target": "vnet0"},
        {"type": "bridge", "mac": "52:54:00:aa:00:02", "source": "br0", "target": ""},
        {"type": "user", "mac": "", "source": "", "target": ""},
    ]


def test_a_network_that_is_a_bridge_of_the_host_is_named_as_the_network() -> None:
    """Only while it runs a domain shows the bridge there."""
    source = "<interface type='bridge'><source network='lan' bridge='br0'/></interface>"
    (found,) = summarize(parse(f"<domain><devices>{source}</devices></domain>"))["interfaces"]
    assert (found["type"], found["source"]) == ("network", "lan")


def test_the_agent_is_connected_when_its_own_port_is() -> None:
    assert agent_in(channel(QEMU, "state='connected'")) == ("qemu", True)
    assert agent_in(channel(QEMU, "state='disconnected'")) == ("none", False)
    assert agent_in(channel(QEMU, "")) == ("none", False)
    assert agent_in(channel("some.other.port", "state='connected'")) == ("none", False)


def test_our_own_agent_comes_first_when_both_are_connected() -> None:
    ours, theirs = channel(OURS, "state='connected'"), channel(QEMU, "state='connected'")
    assert agent_in(ours) == ("kvmmanager", True)
    assert agent_in(theirs + ours) == ("kvmmanager", True)
    assert agent_in(theirs + channel(OURS, "state='disconnected'")) == ("qemu", True)


def test_labels_are_read_and_texts_are_bounded() -> None:
    found = summary(
        f"<title>{'t' * 9000}</title><metadata><k:domain xmlns:k='{NAMESPACE}'>"
        f"<k:label name='env' value='prod'/><k:label name='big' value='{'v' * 9000}'/></k:domain></metadata>"
    )
    assert found["labels"]["env"] == "prod"
    assert len(found["labels"]["big"]) == len(found["title"]) == TEXT_LIMIT


def test_of_very_many_labels_only_some_are_read() -> None:
    labels = "".join(f"<k:label name='l{number}' value=''/>" for number in range(1000))
    found = summary(f"<metadata><k:domain xmlns:k='{NAMESPACE}'>{labels}</k:domain></metadata>")
    assert len(found["labels"]) == 256


def test_what_the_xml_does_not_say_is_empty() -> None:
    found = summary("")
    assert found["title"] == found["description"] == found["machine"] == found["arch"] == ""
    assert (found["memory"], found["vcpus"], found["labels"], found["interfaces"]) == (0, 0, {}, [])
