# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From options to a domain's XML: patched in place, once, and only where an option says so."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.configuration import (
    configuration_changes,
    target_configuration,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts, Host, Image
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections.cpu import SECTION as CPU
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, child, dump, parse

DUMPS = pathlib.Path(__file__).parent / "dumps"
UUID = "6f1c9d2e-5b0a-4b9e-8a51-3d1f0b7c2a10"
IMAGES = {name: Image(f"/pool/{name}.qcow2", "qcow2") for name in "abcd"}
FACTS = Facts(
    uuid=UUID,
    host=Host("qemu"),
    images={**{("pool", name): image for name, image in IMAGES.items()}, "/pool/a.qcow2": IMAGES["a"]},
)
A, B, C, D = VOLUMES = [{"volume": {"pool": "pool", "volume": name}} for name in "abcd"]
VOLUME = A


def stored(release: str = "bookworm") -> Element:
    return parse((DUMPS / f"{release}-stored.xml").read_text(encoding="utf-8"))


def new(**options: Any) -> Element:
    return target_configuration(None, {"name": "web1", **options}, FACTS)


def patched(domain: Element, **options: Any) -> Element:
    return target_configuration(domain, options, FACTS)


def targets(domain: Element, device: str = "disk") -> list[str]:
    drives = domain.findall(f"devices/disk[@device='{device}']")
    return [drive.find("target").attrib["dev"] for drive in drives]


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["", "T"]),
        "labels": st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz")),
        "memory": st.sampled_from(["256 MiB", "1 GiB", "300 MB"]),
        "vcpus": st.integers(1, 4),
        "firmware": st.sampled_from(["bios", "uefi"]),
        "cpu": st.sampled_from([{"mode": "maximum"}, {"model": "EPYC", "features": {"svm": False}}]),
        "disks": st.lists(
            st.fixed_dictionaries(
                {"volume": st.sampled_from([volume["volume"] for volume in VOLUMES])},
                optional={
                    "bus": st.sampled_from(["virtio", "scsi", "sata"]),
                    "cache": st.sampled_from(["none", "default"]),
                },
            ),
            unique_by=lambda disk: str(disk["volume"]),
        ),
        "cdroms": st.lists(st.sampled_from([{}, {"path": "/a.iso"}, {"path": ""}, {"bus": "sata"}]), max_size=3),
        "interfaces": st.lists(st.sampled_from([{"user": True}, {"network": "n", "link": "down"}]), max_size=3),
        "graphics": st.lists(st.just({"type": "vnc", "port": 5901}), max_size=1),
        "serials": st.lists(st.sampled_from([{"type": "pty"}, {"type": "file", "path": "/s"}]), max_size=2),
        "channels": st.lists(st.just({"name": "com.example"}), max_size=1),
        "rng": st.booleans(),
        "tpm": st.booleans(),
        "boot": st.lists(st.sampled_from(["hd", "cdrom", "network"]), unique=True),
    },
)


@given(OPTIONS)
@settings(max_examples=30, deadline=None)
def test_patching_twice_is_patching_once(options: dict[str, Any]) -> None:
    for first in (new(**options), patched(stored(), **options)):
        assert dump(patched(first, **options)) == dump(first)


@given(OPTIONS)
@settings(max_examples=15, deadline=None)
def test_every_difference_of_the_xml_is_in_the_diff(options: dict[str, Any]) -> None:
    before = stored()
    after = patched(before, **options)
    assert (dump(before) == dump(after)) == (configuration_changes(before, after) == [])


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_nothing_named_is_nothing_touched(release: str) -> None:
    assert dump(patched(stored(release))) == dump(stored(release))


def test_drives_get_targets_in_the_order_of_the_list() -> None:
    domain = new(disks=[A, {**B, "bus": "scsi"}, C, {**D, "target": "vdb"}], cdroms=[{}])
    assert targets(domain) == ["vda", "sda", "vdc", "vdb"]
    assert targets(domain, "cdrom") == ["sdb"]


def test_a_new_disk_comes_after_those_that_are_there() -> None:
    """Else a second run would take it for the first, and exchange what both hold."""
    domain = new(disks=[{**VOLUME, "target": "vdc"}])
    twice = patched(domain, disks=[{"serial": "A"}, {**B, "serial": "B"}])
    assert targets(twice) == ["vdc", "vdd"]
    assert dump(patched(twice, disks=[{"serial": "A"}, {**B, "serial": "B"}])) == dump(twice)


def test_a_disk_without_a_target_does_not_move_to_another_bus() -> None:
    """A second disk with the same image would be made, and both would write to it."""
    domain = new(disks=[A])
    with pytest.raises(Failure, match="vda and sda would both write to one image.*name its target too"):
        patched(domain, disks=[{**A, "bus": "scsi"}])
    with pytest.raises(Failure, match="vda and vdb would both write to one image, /pool/a.qcow2"):
        patched(domain, disks=[{}, {"path": "/pool/a.qcow2"}])
    assert targets(patched(domain, disks=[{"target": "vda", "bus": "scsi"}])) == ["vda"]


@pytest.mark.parametrize("option", ["shareable", "readonly"])
def test_one_image_behind_disks_that_share_it_is_fine(option: str) -> None:
    domain = new(disks=[{**A, option: True}, {**A, option: True}])
    assert targets(domain) == ["vda", "vdb"]
    with pytest.raises(Failure, match="would both write"):
        patched(domain, disks=[{"target": "vdb", option: False}])


def test_one_image_behind_two_disks_that_are_there_is_left_alone() -> None:
    domain = new(disks=[{**A, "shareable": True}, {**A, "shareable": True}])
    for shared in domain.findall("devices/disk"):
        shared[:] = [part for part in shared if part.tag != "shareable"]
    assert targets(patched(domain, disks=[{"target": "vda", "cache": "none"}])) == ["vda", "vdb"]


def test_the_default_cache_is_what_libvirt_does_not_write() -> None:
    domain = new(disks=[{**A, "cache": "none"}])
    assert "cache" not in patched(domain, disks=[{"cache": "default"}]).find("devices/disk/driver").attrib
    assert "cache" not in new(disks=[{**A, "cache": "default"}]).find("devices/disk/driver").attrib


def test_a_snapshot_on_top_of_the_image_is_still_the_image() -> None:
    """Going back to the image below would throw away all that was written since."""
    domain = new(disks=[VOLUME])
    disk = domain.find("devices/disk")
    disk.set("type", "file")
    disk.find("source").attrib.clear()
    disk.find("source").set("file", "/pool/a.snap")
    disk.append(parse("<backingStore type='file'><source file='/pool/a.qcow2'/></backingStore>"))
    assert dump(patched(domain, disks=[VOLUME])) == dump(domain)


def test_spare_ports_leave_room_for_hot_plug() -> None:
    domain = new(disks=[VOLUME], interfaces=[{"user": True}])
    ports = domain.findall("devices/controller[@model='pcie-root-port']")
    assert len(ports) == 6 + 3 + 1 + 1 + 1  # spare, every domain's, disk, interface, rng


def test_no_boot_order_is_the_one_that_libvirt_chooses() -> None:
    """libvirt writes hd for an empty list, which would then differ in each run."""
    assert [item.get("dev") for item in patched(stored(), boot=[]).iterfind("os/boot")] == ["hd"]
    ordered = new(disks=[{**VOLUME, "boot_order": 1}], boot=[])
    assert ordered.find("os/boot") is None


def test_no_user_networking_needs_something_else() -> None:
    mac = "52:54:00:00:00:01"
    domain = new(interfaces=[{"user": True, "mac": mac}])
    with pytest.raises(Failure, match="name a network or a bridge"):
        patched(domain, interfaces=[{"mac": mac, "user": False}])
    moved = patched(domain, interfaces=[{"mac": mac, "bridge": "br0"}])
    assert dump(patched(moved, interfaces=[{"mac": mac, "user": False}])) == dump(moved)


def test_both_agents_have_a_channel() -> None:
    names = [target.get("name") for target in new().iterfind("devices/channel/target")]
    assert names == ["org.qemu.guest_agent.0", "org.kvmmanager.agent.0"]


def test_memory_above_the_maximum_raises_it_and_less_leaves_it() -> None:
    domain = new(memory="1 GiB")
    more = patched(domain, memory="2 GiB")
    assert (more.findtext("memory"), more.findtext("currentMemory")) == ("2097152", "2097152")
    less = patched(domain, memory="512 MiB")
    assert (less.findtext("memory"), less.findtext("currentMemory")) == ("1048576", "524288")


def vcpus(domain: Element) -> tuple[str | None, str | None]:
    """How many a domain has, where it does not have all, and how many it can have."""
    return domain.find("vcpu").get("current"), domain.findtext("vcpu")


def test_a_maximum_alone_gives_no_vcpus() -> None:
    assert vcpus(new(max_vcpus=4)) == ("1", "4")
    assert vcpus(patched(new(vcpus=1), max_vcpus=4)) == ("1", "4")
    assert vcpus(patched(new(vcpus=2), max_vcpus=4)) == ("2", "4")


def test_a_topology_makes_the_maximum_and_the_vcpus_of_a_new_domain() -> None:
    assert vcpus(new(topology={"cores": 2, "threads": 2})) == (None, "4")
    assert vcpus(patched(new(topology={"cores": 4}), topology={"cores": 8})) == (None, "8")
    assert vcpus(patched(new(topology={"cores": 4}), topology={"cores": 2})) == (None, "2")
    assert vcpus(patched(new(vcpus=1, max_vcpus=4), topology={"cores": 2})) == ("1", "2")


def test_a_maximum_alone_gives_no_memory() -> None:
    assert new(max_memory="2 GiB").findtext("currentMemory") == "1048576"


@pytest.mark.parametrize(
    ("made", "options", "message"),
    [
        ({"memory": "256 MiB"}, {"max_memory": "128 MiB"}, r"memory \(256 MiB\) is more than max_memory \(128 MiB\)"),
        ({"vcpus": 4}, {"max_vcpus": 2}, r"vcpus \(4\) is more than max_vcpus \(2\): name both"),
    ],
)
def test_a_maximum_takes_nothing_away_unsaid(made: dict[str, Any], options: dict[str, Any], message: str) -> None:
    domain = new(**made)
    with pytest.raises(Failure, match=message):
        patched(domain, **options)


def test_a_new_domain_with_less_at_most_needs_less() -> None:
    with pytest.raises(Failure, match=r"memory \(1 GiB\) is more than max_memory \(64 MiB\): name both"):
        new(max_memory="64 MiB")


def with_numa(first: int, module: str = "") -> Element:
    """A stopped domain of 128 MiB in all, as libvirt stores it."""
    cells = f"<cell id='0' cpus='0' memory='{first}' unit='KiB'/><cell id='1' cpus='1' memory='65536' unit='KiB'/>"
    memory = "<memory unit='KiB'>131072</memory><currentMemory unit='KiB'>131072</currentMemory>"
    machine = "<vcpu>2</vcpu><os><type>hvm</type></os>"
    cpus = f"<cpu mode='maximum'><numa>{cells}</numa></cpu>"
    return parse(f"<domain>{memory}{machine}{cpus}<devices>{module}</devices></domain>")


@pytest.mark.parametrize("options", [{"memory": "256 MiB"}, {"max_memory": "256 MiB"},
                                     {"memory": "64 MiB", "max_memory": "64 MiB"}])  # fmt: skip
def test_memory_of_numa_cells_is_theirs(options: dict[str, str]) -> None:
    """libvirt adds the cells up again, so that any other memory would be a change in each run."""
    with pytest.raises(Failure, match="NUMA cells .* make up 128 MiB .* cannot turn into .* MiB: change the cells"):
        patched(with_numa(65536), **options)


def test_memory_that_numa_cells_make_is_fine() -> None:
    domain = with_numa(65536)
    assert dump(patched(domain, memory="128 MiB", max_memory="128 MiB")) == dump(domain)
    assert patched(domain, memory="64 MiB").findtext("currentMemory") == "65536"
    module = "<memory model='dimm'><target><size unit='KiB'>32768</size></target></memory>"
    assert patched(with_numa(32768, module), memory="128 MiB").findtext("memory") == "131072"


def test_more_numa_cells_make_more_memory() -> None:
    """From the option xml, which comes before; libvirt has not added them up yet."""
    after = patched(with_numa(196608), memory="256 MiB")
    assert (after.findtext("memory"), after.findtext("currentMemory")) == ("262144", "262144")


def cpu(domain: Element) -> dict[str, Any]:
    """The mode, model and features of a domain."""
    return CPU.read(domain)["cpu"]


def test_features_of_a_new_domain_come_with_the_mode_of_a_new_domain() -> None:
    """libvirt takes no features without one."""
    assert cpu(new(cpu={"features": {"svm": False}})) == {"mode": "maximum", "features": {"svm": "disable"}}
    assert cpu(new(cpu={})) == {"mode": "maximum"}
    assert cpu(new(cpu={"model": "EPYC"})) == {"mode": "custom", "model": "EPYC"}
    assert cpu(new(cpu={"mode": "host-model"})) == {"mode": "host-model"}


def test_features_stay_with_another_model() -> None:
    domain = new(cpu={"model": "EPYC", "features": {"aes": True, "svm": False}})
    features = {"aes": "require", "svm": "forbid"}
    changed = patched(domain, cpu={"model": "Nehalem", "features": {"svm": "forbid"}})
    assert cpu(changed) == {"mode": "custom", "model": "Nehalem", "features": features}
    assert cpu(patched(changed, cpu={"mode": "maximum"})) == {"mode": "maximum"}


def test_the_console_of_a_serial_port_goes_with_the_last_one() -> None:
    """libvirt makes a serial port for it otherwise, in each run again."""
    domain = stored()
    console = "devices/console/target[@type='serial']"
    child(domain, "devices").append(parse("<serial type='null'/>"))
    assert patched(domain, serials=[{}], purge=["serials"]).find(console) is not None
    assert patched(domain, serials=[]).find(console) is not None
    bare = patched(domain, serials=[], purge=["serials"])
    assert bare.find("devices/serial") is None
    assert [console.find("target").get("type") for console in bare.iterfind("devices/console")] == ["virtio"]


def test_a_password_that_vnc_has_no_room_for_is_not_repeated() -> None:
    with pytest.raises(Failure, match="at most 8 characters") as refused:
        patched(stored(), graphics=[{"type": "vnc", "password": "hushhushhush"}])
    assert "hush" not in str(refused.value)
    with pytest.raises(Failure, match="at most 8 characters"):
        patched(stored(), graphics=[{"type": "vnc", "password": "ééééé"}])
    for kind, password in (("vnc", "hushhush"), ("spice", "hushhushhush")):
        patched(stored(), graphics=[{"type": kind, "password": password}])


def test_an_order_of_devices_and_one_of_kinds_take_turns() -> None:
    domain = patched(new(boot=["hd"], disks=[VOLUME]), disks=[{"boot_order": 1}])
    assert domain.find("os/boot") is None
    again = patched(domain, boot=["network"])
    assert again.find("devices/disk/boot") is None
    assert again.find("os/boot").get("dev") == "network"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"memory": "2"}, "did you forget the unit"),
        ({"memory": "2 GiB", "max_memory": "1 GiB"}, "more than max_memory"),
        ({"vcpus": 3, "max_vcpus": 2}, "more than max_vcpus"),
        ({"topology": {"cores": 0}}, "cores must be at least 1, not 0"),
        ({"disks": [{"boot_order": 1}], "cdroms": [{"boot_order": 1}]}, "1 is the place of two devices, sda and vda;"),
        ({"max_vcpus": 4, "topology": {"cores": 3}}, "makes 3 vCPUs"),
        ({"secure_boot": True, "firmware": "bios"}, "needs firmware: uefi"),
        ({"cpu": {"features": {"a": "maybe"}}}, "is no policy"),
        ({"disks": [{}, {}]}, "needs an image"),
        ({"disks": [{"target": "vdz", "path": "/nowhere"}]}, "its format is not known"),
        ({"disks": [{"target": "sda"}]}, "is a cdrom, not a disk"),
        ({"disks": [{"target": "vda"}, {"target": "vda"}]}, "each device once"),
        ({"disks": [{"target": "vdz", **VOLUME}, {"target": "vdz", **VOLUME}]}, "each device once"),
        ({"graphics": [{"type": "spice"}, {"type": "spice"}]}, "each device once"),
        ({"interfaces": [{"mac": "5:4", "user": True}]}, "is not a MAC address"),
        ({"boot": ["hd"], "disks": [{"boot_order": 1}]}, "exclude each other"),
        ({"purge": ["disks"]}, "name disks too"),
        ({"serials": [{"type": "unix"}]}, "needs a path"),
        ({"machine": "pc"}, "create it again"),
    ],
)
def test_contradictions_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Failure, match=message):
        patched(stored(), **options)
