# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A configuration as options, and drift."""

from __future__ import annotations

import json
import pathlib

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain_info.configuration import (
    configuration,
    drift,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse


def domain(memory: str = "64", cpu: str = "", devices: str = "") -> Element:
    return parse(
        f"<domain type='kvm'><name>web</name><memory unit='MiB'>{memory}</memory>"
        f"<currentMemory unit='MiB'>{memory}</currentMemory><vcpu>1</vcpu>"
        f"<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>{cpu}<devices>{devices}</devices></domain>"
    )


def disk(cache: str) -> str:
    return (
        f"<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='{cache}'/>"
        "<source file='/srv/web.qcow2'/><target dev='vda' bus='virtio'/></disk>"
    )


def test_sizes_are_plain_bytes() -> None:
    found = configuration(domain())
    assert found["memory"] == 64 * 1024**2
    assert str(found["memory"]) == "67108864"  # a Size would print as 64 MiB
    assert json.dumps(found)


def test_what_runs_as_it_is_stored_has_no_drift() -> None:
    assert drift(domain(devices=disk("none")), domain(devices=disk("none"))) == []


def test_drift_names_options_as_the_module_domain_does() -> None:
    found = {item["path"]: item for item in drift(domain("96", devices=disk("none")), domain(devices=disk("unsafe")))}
    assert found["memory"] == {"path": "memory", "stored": 96 * 1024**2, "live": 64 * 1024**2}
    assert found["disks.vda.cache"] == {"path": "disks.vda.cache", "stored": "none", "live": "unsafe"}


def test_a_device_that_only_one_of_them_has_is_drift() -> None:
    found = {item["path"]: item for item in drift(domain(devices=disk("none")), domain())}
    assert found["disks.vda.cache"]["stored"] == "none"
    assert found["disks.vda.cache"]["live"] is None


def test_what_libvirt_makes_of_a_cpu_when_it_starts_is_no_drift() -> None:
    live = "<cpu mode='custom' match='exact'><model>qemu64</model><feature policy='require' name='hypervisor'/></cpu>"
    stored = "<cpu mode='custom' match='exact'><model>qemu64</model></cpu>"
    assert drift(domain(cpu=stored), domain(cpu=live)) == []
    assert drift(domain(cpu="<cpu mode='host-model'/>"), domain(cpu=live)) == []
    other = "<cpu mode='custom' match='exact'><model>kvm64</model></cpu>"
    assert [item["path"] for item in drift(domain(cpu=other), domain(cpu=live))] == ["cpu.model"]


DUMPS = pathlib.Path(__file__).parents[1] / "_domain" / "dumps"


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_a_start_is_no_drift_but_of_memory(release: str) -> None:
    """The balloon of the dumps has not moved; all else that a start adds is no difference."""
    stored, live = (
        parse((DUMPS / f"{release}-{name}.xml").read_text(encoding="utf-8")) for name in ("stored", "running")
    )
    assert {item["path"] for item in drift(stored, live)} <= {"memory", "max_memory"}


def test_memory_that_libvirt_rounded_up_is_no_drift() -> None:
    def with_memory(kib: int) -> Element:
        return parse(
            f"<domain><memory unit='KiB'>{kib}</memory><currentMemory unit='KiB'>{kib}</currentMemory></domain>"
        )

    assert drift(with_memory(65537), with_memory(66560)) == []
    assert [item["path"] for item in drift(with_memory(65537), with_memory(66561))] == ["memory", "max_memory"]


def test_what_has_no_option_is_drift_too() -> None:
    reset, poweroff = (f"<watchdog model='i6300esb' action='{action}'/>" for action in ("reset", "poweroff"))
    path = "xml.devices.watchdog.action"
    assert drift(domain(devices=poweroff), domain(devices=reset)) == [
        {"path": path, "stored": "poweroff", "live": "reset"}
    ]
    plugged = "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/><product id='0x2'/></source></hostdev>"
    for stored, live in ((plugged, ""), ("", plugged)):
        found = drift(domain(devices=stored), domain(devices=live))
        assert found
        assert all(item["path"].startswith("xml.devices.hostdev[") for item in found)


def test_the_clock_that_a_guest_has_set_is_no_drift() -> None:
    clock = "<clock offset='variable' basis='utc' adjustment='{}'/>"
    assert drift(domain(cpu=clock.format(0)), domain(cpu=clock.format(3600))) == []


def test_drift_tells_no_secret() -> None:
    entry = "<sysinfo type='fwcfg'><entry name='opt/com.example/token'>{}</entry></sysinfo>"
    found = drift(domain(cpu=entry.format("whisper")), domain(cpu=entry.format("murmur")))
    assert [item["path"] for item in found] == ["xml.sysinfo.entry[opt/com.example/token].text"]
    assert "********" in json.dumps(found)
    assert "whisper" not in json.dumps(found)
