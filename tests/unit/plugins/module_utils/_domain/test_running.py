# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A running domain: what starting added is no difference, what differs is made or waits. The dumps are real."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.addresses import free_pcie_ports
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.configuration import target_configuration
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.hotplug import plan_live
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Current, Handle
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.section import LivePlan
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.sections.interfaces import (
    SECTION as INTERFACES,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Impact
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse, same

DUMPS = pathlib.Path(__file__).parent / "dumps"
MAC = "52:54:00:ab:cd:ef"
NETWORK_MAC = "52:54:00:d0:21:5c"
NETWORK_LIVE = f"""type='network'>
      <mac address='{NETWORK_MAC}'/>
      <source network='lab' portid='d90f4a6f-cfb3-4cf0-aa3d-3711f70d5029' bridge='virbr1'/>"""


def read(dump: str) -> Element:
    return parse((DUMPS / f"{dump}.xml").read_text(encoding="utf-8"))


def plan(
    release: str, live_edit: tuple[str, str] = ("", ""), stored: Element | None = None, **options: Any
) -> LivePlan:
    stored = read(f"{release}-stored") if stored is None else stored
    live = parse((DUMPS / f"{release}-running.xml").read_text(encoding="utf-8").replace(*live_edit))
    current = Current(None, "web1", stored.findtext("uuid") or "", stored, live, "running", True, False)
    target = target_configuration(stored, options, Facts())
    return plan_live(Handle("web1"), current, target, options, Deadline(1))


def paths(made: LivePlan, impact: Impact) -> list[str]:
    return [change.path for change in made.changes if change.impact is impact]


@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_a_start_is_no_difference(release: str) -> None:
    xml = (DUMPS / "written.xml").read_text(encoding="utf-8")
    assert plan(release, xml=xml) == LivePlan()


@pytest.mark.parametrize(
    ("options", "action"),
    [
        ({"title": "T"}, "set the title of the running domain"),
        ({"labels": {"a": "b"}}, "set the labels of the running domain"),
        ({"memory": "250 MiB"}, "set the memory of the running domain to 250 MiB"),
        ({"vcpus": 2}, "give the running domain 2 vCPUs"),
        ({"cdroms": [{"path": "/a.iso"}]}, "change the CD-ROM drive sda of the running domain"),
        ({"interfaces": [{"mac": MAC, "link": "down"}]}, f"change the network interface {MAC} of the running domain"),
        ({"graphics": [{"type": "vnc", "password": "x"}]}, "change the screen vnc of the running domain"),
        ({"channels": [{"name": "a"}]}, "add the channel a to the running domain"),
        ({"rng": True}, "add the random number generator to the running domain"),
    ],
)
def test_what_is_made_at_once(options: dict[str, Any], action: str) -> None:
    made = plan("bookworm", **options)
    assert [item.summary for item in made.actions] == [action]
    assert not paths(made, Impact.NEXT_BOOT)


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"max_memory": "1 GiB"}, "max_memory"),
        ({"memory": "1 GiB"}, "memory"),
        ({"max_vcpus": 4}, "max_vcpus"),
        ({"video": "bochs"}, "video"),
        ({"tpm": True}, "tpm"),
        ({"disks": [{"target": "vda", "cache": "none"}]}, "disks.vda.cache"),
        ({"interfaces": [{"mac": MAC, "model": "e1000e"}]}, f"interfaces.{MAC}.model"),
        ({"interfaces": [{"mac": MAC, "bridge": "br0"}]}, f"interfaces.{MAC}.bridge"),
        ({"graphics": [{"type": "vnc", "port": 5999}]}, "graphics.vnc.port"),
        ({"graphics": [{"type": "vnc", "password": ""}]}, "graphics.vnc.password"),
        ({"cpu": {"features": {"svm": "require"}}}, "cpu.features.svm"),
    ],
)
def test_what_waits_for_the_next_start(options: dict[str, Any], path: str) -> None:
    made = plan("bookworm", **options)
    assert path in paths(made, Impact.NEXT_BOOT)
    assert all(change.reason for change in made.changes if change.impact is Impact.NEXT_BOOT)
    assert not made.actions


def test_fewer_vcpus_wait_for_the_next_start() -> None:
    made = plan("bookworm", ("current='1'", "current='2'"), vcpus=1)
    assert paths(made, Impact.NEXT_BOOT) == ["vcpus"]


def test_a_balloon_that_does_not_move_is_not_pushed_again() -> None:
    """A guest without the driver never gives memory back; asking again would be a change in each run."""
    made = plan("bookworm", ("204800</currentMemory>", "293888</currentMemory>"), memory="200 MiB")
    assert made == LivePlan()


def test_drift_of_what_is_named_is_mended() -> None:
    made = plan("bookworm", (f"<mac address='{MAC}'/>", f"<mac address='{MAC}'/><link state='down'/>"),
                interfaces=[{"mac": MAC}])  # fmt: skip
    assert [(change.path, change.before, change.after) for change in made.changes] == [
        (f"interfaces.{MAC}.link", "down", "up")
    ]
    assert len(made.actions) == 1


def test_drift_of_what_is_not_named_is_left_alone() -> None:
    made = plan("bookworm", (f"<mac address='{MAC}'/>", f"<mac address='{MAC}'/><link state='down'/>"), title="T")
    assert [change.path for change in made.changes] == ["title"]


def test_each_new_device_needs_a_port_of_its_own() -> None:
    """Those that found a port on their own would be refused by libvirt, with a part of the task done."""
    live = parse((DUMPS / "bookworm-running.xml").read_text(encoding="utf-8"))
    free = free_pcie_ports(live) or 0
    disks = [{"target": f"vd{letter}", "path": f"/dev/{letter}", "bus": "virtio"} for letter in "yz"]
    new = [{"user": True, "mac": f"52:54:00:00:00:0{number}"} for number in range(free)]
    made = plan("bookworm", disks=disks, interfaces=new)
    waiting = {change.path.rpartition(".")[0]: change.reason for change in made.changes if change.reason}
    assert free > 0
    assert len(made.actions) == free
    assert set(waiting.values()) == {"the running domain has no free PCIe port"}
    assert len(waiting) == 2


RAW = {"path": "/dev/z", "format": "raw", "boot_order": 2}
BOOT_REASON = "the boot order is fixed while the domain runs"


def waiting(made: LivePlan) -> dict[str, str]:
    """What waits for the next start, and why."""
    return {change.path: change.reason for change in made.changes if change.impact is Impact.NEXT_BOOT}


def test_a_new_device_gets_its_place_in_the_boot_order_at_the_next_start() -> None:
    """libvirt refuses it beside an order of kinds, which the domain was started with."""
    made = plan("bookworm", disks=[{"target": "vdz", **RAW}])
    assert [item.summary for item in made.actions] == ["add the disk vdz to the running domain"]
    assert waiting(made)["disks.vdz.boot_order"] == BOOT_REASON
    assert "disks.vdz.path" in paths(made, Impact.LIVE)


def test_a_new_device_gets_a_place_at_once_where_that_is_free() -> None:
    order = "<boot dev='hd'/>\n    <boot dev='cdrom'/>", ""
    new = {"target": "vdz", **RAW}
    assert "disks.vdz.boot_order" in paths(plan("bookworm", order, disks=[new]), Impact.LIVE)


def test_the_place_of_a_device_that_is_there_waits_for_the_same_reason() -> None:
    made = plan("bookworm", disks=[{"target": "vda", "boot_order": 2}])
    assert waiting(made)["disks.vda.boot_order"] == BOOT_REASON
    assert "boot" in waiting(made)


@pytest.mark.parametrize(
    ("options", "both"),
    [
        ({"memory": "1 GiB"}, {"memory", "max_memory"}),
        ({"vcpus": 4}, {"vcpus", "max_vcpus"}),
        ({"topology": {"cores": 4}}, {"topology.sockets", "topology.cores", "topology.threads", "max_vcpus"}),
        ({"disks": [{"target": "vda", "boot_order": 2}]}, {"disks.vda.boot_order", "boot"}),
    ],
)
def test_the_second_run_knows_of_the_same_things_that_wait(options: dict[str, Any], both: set[str]) -> None:
    """Also of those that the task changes without naming them."""
    assert set(waiting(plan("bookworm", **options))) == both
    once = target_configuration(read("bookworm-stored"), options, Facts())
    assert set(waiting(plan("bookworm", stored=once, **options))) == both


def test_a_maximum_that_nobody_named_and_that_suffices_is_left_alone() -> None:
    stored = target_configuration(read("bookworm-stored"), {"max_memory": "1 GiB", "max_vcpus": 4}, Facts())
    assert not waiting(plan("bookworm", stored=stored, memory="250 MiB", vcpus=2))


@pytest.mark.parametrize(
    "source",
    [
        "type='bridge'><source network='lab' bridge='br0'/>",
        "type='direct'><source network='lab' dev='e' mode='bridge'/>",
    ],
)
def test_a_network_that_is_a_bridge_of_the_host_is_still_that_network(source: str) -> None:
    """A running domain shows the bridge, with the network's name beside it."""
    edit = (NETWORK_LIVE, source.replace("'><source", f"'><mac address='{NETWORK_MAC}'/><source"))
    assert plan("bookworm", edit, interfaces=[{"mac": NETWORK_MAC, "network": "lab"}]) == LivePlan()
    made = plan("bookworm", edit, interfaces=[{"mac": NETWORK_MAC, "network": "lab", "link": "down"}])
    assert [change.path for change in made.changes] == [f"interfaces.{NETWORK_MAC}.link"]


def test_a_change_of_such_an_interface_names_the_network_not_the_bridge() -> None:
    """Else it would be plugged into that bridge for good, whatever becomes of the network."""
    device = parse("<interface type='bridge'><source network='lab' portid='p' bridge='br0'/></interface>")
    INTERFACES.carry_live(device, parse("<interface type='network'><source network='lab'/></interface>"), ())
    assert same(device, parse("<interface type='network'><source network='lab'/></interface>"))


def test_a_screen_that_asks_for_no_password_asks_for_one_from_the_next_start_on() -> None:
    made = plan("bookworm", (" passwd='hush'", ""), graphics=[{"type": "vnc", "password": "x"}])
    assert paths(made, Impact.NEXT_BOOT) == ["graphics.vnc.password"]
    assert not made.actions


def test_a_random_number_generator_needs_a_port_and_goes_again() -> None:
    live = parse((DUMPS / "bookworm-running.xml").read_text(encoding="utf-8"))
    new = [{"user": True, "mac": f"52:54:00:00:00:0{number}"} for number in range(free_pcie_ports(live) or 0)]
    made = plan("bookworm", interfaces=new, rng=True)
    assert [(change.path, change.reason) for change in made.changes if change.reason] == [
        ("rng", "the running domain has no free PCIe port")
    ]
    rng = "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng></devices>"
    made = plan("bookworm", ("</devices>", rng), rng=False)
    assert [action.summary for action in made.actions] == ["take the random number generator from the running domain"]


WATCHDOG = "<domain><devices><watchdog model='i6300esb' action='{}'/></devices></domain>"


def test_what_has_no_option_waits_for_the_next_start() -> None:
    """Also in the next run, when it is stored already."""
    xml = WATCHDOG.format("poweroff")
    made = plan("bookworm", xml=xml)
    assert [(change.path, change.before, change.after) for change in made.changes] == [
        ("xml.devices.watchdog.action", "reset", "poweroff")
    ]
    assert paths(made, Impact.NEXT_BOOT) == ["xml.devices.watchdog.action"]
    again = plan("bookworm", ("action='reset'", "action='poweroff'"), xml=WATCHDOG.format("reset"))
    assert [(change.before, change.after) for change in again.changes] == [("poweroff", "reset")]


def test_what_has_no_option_and_runs_already_is_no_difference() -> None:
    assert plan("bookworm", ("action='reset'", "action='poweroff'"), xml=WATCHDOG.format("poweroff")) == LivePlan()


def test_only_purge_takes_a_device_away() -> None:
    assert not plan("bookworm", interfaces=[{"mac": MAC}]).actions
    made = plan("bookworm", interfaces=[{"mac": MAC}], purge=["interfaces"])
    assert len(made.actions) == 2
    assert all(action.summary.startswith("take the network interface") for action in made.actions)
