# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option xml: XML that says the same in other words is no change. The dumps are of real daemons.

written.xml is what was defined on Debian 12 and 13; stored and running are what libvirt made of it.
"""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.configuration import (
    configuration_changes,
    target_configuration,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.raw_xml import lay_over
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.rest import rest_to_come, rest_to_go
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, render_diff
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import SizeField
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, dump, parse

DUMPS = pathlib.Path(__file__).parent / "dumps"
RELEASES = ("bookworm", "trixie")


def read(name: str) -> str:
    return (DUMPS / f"{name}.xml").read_text(encoding="utf-8")


def laid_over(stored: Element, xml: str, **options: object) -> Element:
    return target_configuration(stored, {"xml": xml, **options}, Facts())


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("given", ["written", "{}-stored", "{}-running"])
def test_what_says_the_same_changes_nothing(release: str, given: str) -> None:
    stored = parse(read(f"{release}-stored"))
    target = laid_over(stored, read(given.format(release)))
    assert dump(target) == dump(stored)
    assert configuration_changes(stored, target) == []


@pytest.mark.parametrize("release", RELEASES)
def test_a_change_of_the_running_xml_is_a_change(release: str) -> None:
    """Only what starting adds is left out, not what the user changed in that dump."""
    stored = parse(read(f"{release}-stored"))
    edited = read(f"{release}-running").replace("period='10'", "period='20'")
    target = laid_over(stored, edited)
    assert configuration_changes(stored, target) == [Change("xml.devices.memballoon.stats.period", "10", "20")]


@pytest.mark.parametrize("release", RELEASES)
def test_what_the_xml_does_not_mention_stays(release: str) -> None:
    stored = parse(read(f"{release}-stored"))
    target = laid_over(stored, "<domain><description>New</description></domain>")
    assert configuration_changes(stored, target) == [Change("description", None, "New")]


def test_an_option_beside_the_xml_wins() -> None:
    stored = parse(read("bookworm-stored"))
    target = laid_over(stored, "<domain><title>From XML</title></domain>", title="From an option")
    assert target.findtext("title") == "From an option"


def test_purge_removes_the_devices_that_the_xml_does_not_list() -> None:
    stored = parse(read("bookworm-stored"))
    xml = "<domain><devices><interface type='user'><mac address='52:54:00:AB:CD:EF'/></interface></devices></domain>"
    target = laid_over(stored, xml, purge=["interfaces"])
    macs = [mac.get("address") for mac in target.iterfind("devices/interface/mac")]
    assert macs == ["52:54:00:ab:cd:ef"]
    assert len(target.findall("devices/disk")) == len(stored.findall("devices/disk"))


def test_another_source_leaves_nothing_of_the_old_one() -> None:
    stored = parse(read("bookworm-stored"))
    xml = (
        "<domain><devices><interface type='bridge'><mac address='52:54:00:ab:cd:ef'/>"
        "<source bridge='br0'/></interface></devices></domain>"
    )
    target = laid_over(stored, xml)
    changed = target.find("devices/interface[@type='bridge']")
    assert changed is not None
    assert changed.find("source").attrib == {"bridge": "br0"}


def test_a_new_interface_gets_a_mac_that_stays() -> None:
    """libvirt would choose another at each definition, and another for the running domain."""
    stored = parse(read("bookworm-stored"))
    xml = "<domain><devices>" + "<interface type='user'/>" * 4 + "</devices></domain>"
    target = laid_over(stored, xml)
    assert len(target.findall("devices/interface")) == 4
    assert all(device.find("mac") is not None for device in target.iterfind("devices/interface"))
    assert dump(laid_over(target, xml)) == dump(target)


@pytest.mark.parametrize(
    ("xml", "memory", "most"),
    [
        ("<memory unit='GiB'>1</memory>", 204800, 1048576),
        ("<memory unit='MiB'>100</memory>", 102400, 102400),
        ("<memory unit='MB'>300</memory>", 204800, 292969),
        ("<currentMemory unit='KB'>204800</currentMemory>", 200000, 292969),
    ],
)
def test_memory_in_any_unit(xml: str, memory: int, most: int) -> None:
    stored = parse(read("bookworm-stored"))
    target = laid_over(stored, f"<domain>{xml}</domain>")
    kib = [-(-SizeField(tag, tag).read(target) // 1024) for tag in ("currentMemory", "memory")]
    assert kib == [memory, most]


def test_the_password_is_in_no_change() -> None:
    stored = parse(read("bookworm-stored"))
    target = laid_over(stored, "<domain><devices><graphics type='vnc' passwd='whisper'/></devices></domain>")
    (change,) = configuration_changes(stored, target)
    assert change.path == "graphics.vnc.password"
    assert "whisper" not in f"{change} {change.after} {change.before!r}"


SECRET_XML = """<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
<devices><graphics type='rdp' passwd='whisper'/></devices>
<sysinfo type='fwcfg'><entry name='opt/com.example/token'>whisper</entry></sysinfo>
<qemu:commandline><qemu:arg value='-foo'/><qemu:env name='KEY' value='whisper'/></qemu:commandline>
</domain>"""


def test_secrets_of_raw_xml_are_in_no_diff() -> None:
    stored = parse(read("bookworm-stored"))
    target = laid_over(stored, SECRET_XML)
    for changes in (configuration_changes(stored, target), configuration_changes(target, stored)):
        shown = str(render_diff(changes))
        assert "whisper" not in shown + str(changes)
        assert "commandline: ********" in shown
        assert "passwd: ********" in shown
    assert configuration_changes(stored, laid_over(stored, read("bookworm-stored"))) == []


def test_an_interface_of_a_running_domain_names_its_network_again() -> None:
    stored = parse(read("bookworm-stored"))
    running = read("bookworm-running").replace(
        "<interface type='network'>", "<interface type='bridge'>"
    )  # as on a network with mode=bridge
    assert dump(laid_over(stored, running)) == dump(stored)


def test_what_a_start_adds_is_no_wish() -> None:
    """Security labels of the daemon's own, TLS that nobody asked for, another count of the consoles."""
    own = "<seclabel type='none' model='none'/>"
    stored = parse(read("trixie-stored").replace("</domain>", f"{own}</domain>"))
    running = (
        read("trixie-running")
        .replace("<target type='virtio' port='1'/>", "<target type='virtio' port='0'/>")
        .replace("</domain>", f"{own}</domain>")
        .replace("<source path='/dev/pts/0'/>", "<source path='/dev/pts/0' tls='no'/>")
    )
    assert dump(laid_over(stored, running)) == dump(stored)


# What a configuration says, and what libvirt shows of it while the domain runs.
SHOWN_WHILE_RUNNING = {
    "a tray that the guest opened": (
        "<devices><disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk></devices>",
        "<devices><disk type='file' device='cdrom'><target dev='sda' bus='sata' tray='open'/></disk></devices>",
    ),
    "an automatic socket": (
        "<devices><graphics type='vnc'><listen type='socket'/></graphics></devices>",
        "<devices><graphics type='vnc' socket='/run/7/vnc.sock'>"
        "<listen type='socket' socket='/run/7/vnc.sock'/></graphics></devices>",
    ),
    "a memory module": (
        "<devices><memory model='dimm'><address type='dimm' slot='0'/></memory></devices>",
        "<devices><memory model='dimm'><address type='dimm' slot='0' base='0x100000000'/></memory></devices>",
    ),
    "the template of hand-written firmware": (
        "<os><loader type='pflash'>/code.fd</loader><nvram>/vars.fd</nvram></os>",
        "<os><loader type='pflash'>/code.fd</loader><nvram template='/t.fd'>/vars.fd</nvram></os>",
    ),
    "what chosen firmware needs": (
        "<os firmware='efi'/><features><acpi/></features>",
        "<os><loader secure='yes'>/code.fd</loader></os><features><acpi/><smm state='on'/></features>",
    ),
}


@pytest.mark.parametrize(("written", "shown"), SHOWN_WHILE_RUNNING.values(), ids=SHOWN_WHILE_RUNNING)
def test_what_only_a_running_domain_shows_is_no_wish(written: str, shown: str) -> None:
    stored, running = f"<domain><name>a</name>{written}</domain>", f"<domain id='7'><name>a</name>{shown}</domain>"
    assert dump(lay_over(parse(stored), parse(running), lambda _device: False)) == dump(parse(stored))
    assert rest_to_go(parse(running), parse(stored)) == []
    assert rest_to_come(parse(running), parse(stored), parse(running)) == []
    assert rest_to_come(parse(running), parse(stored), parse(stored)) == []


def test_a_tray_is_opened_and_closed_by_the_guest() -> None:
    drive = "<domain><devices><disk device='cdrom'><target dev='sda' bus='sata'{}/></disk></devices></domain>"
    closed, opened = parse(drive.format("")), parse(drive.format(" tray='open'"))
    assert rest_to_come(closed, opened, opened) == []
    assert rest_to_go(closed, opened) == []


def test_an_empty_drive_of_any_type_is_an_empty_drive() -> None:
    drive = (
        "<domain><os><type>hvm</type></os><devices>"
        "<disk type='{}' device='cdrom'>{}<target dev='sda'/></disk></devices></domain>"
    )
    empty = parse(drive.format("file", ""))
    assert dump(laid_over(empty, drive.format("block", ""))) == dump(laid_over(empty, "<domain/>"))
    assert configuration_changes(empty, laid_over(empty, drive.format("block", "<source dev='/dev/sr0'/>")))
    filled = parse(drive.format("file", "<source file='/a.iso'/>"))
    assert configuration_changes(filled, laid_over(filled, drive.format("block", "")))


def test_memory_of_a_numa_cell_in_any_unit() -> None:
    cell = "<domain><cpu><numa><cell id='0' memory='{}' unit='{}'/></numa></cpu></domain>"
    stored = laid_over(parse(read("trixie-stored")), cell.format(307200, "KiB"))
    assert dump(laid_over(stored, cell.format(300, "MiB"))) == dump(stored)
    assert laid_over(stored, cell.format(1, "GiB")).find("cpu/numa/cell").attrib["memory"] == "1"


def test_metadata_of_others_keeps_the_name_of_its_namespace() -> None:
    assert "<my:thing" in dump(parse(read("bookworm-stored")))
