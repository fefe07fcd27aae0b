# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which device an item of a list is about, and whose format an image has: mistakes cost a disk."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.configuration import target_configuration
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.facts import Facts, Image
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    attribute_at,
    child,
    dump,
    parse,
)

FORMATS = {"one": "qcow2", "two": "raw", "three": "qcow2"}
IMAGES = {("pool", name): Image(f"/pool/{name}", written) for name, written in FORMATS.items()}
ONE, TWO, THREE = ({"volume": {"pool": "pool", "volume": name}} for name in FORMATS)
USER = {"user": True}
N1, N2 = {"network": "n1"}, {"network": "n2"}


def new(**options: Any) -> Element:
    return target_configuration(None, {"name": "web1", **options}, Facts(images=IMAGES))


def patched(domain: Element, **options: Any) -> Element:
    """As for a domain that uses all that it names already: what it uses is not looked up."""
    return target_configuration(domain, options, Facts())


def disks(domain: Element) -> dict[str | None, tuple[str | None, str | None]]:
    """Image and format by target."""
    found: dict[str | None, tuple[str | None, str | None]] = {}
    for disk in domain.findall("devices/disk"):
        image = attribute_at(disk, "source", "volume") or attribute_at(disk, "source", "file")
        found[attribute_at(disk, "target", "dev")] = (image, attribute_at(disk, "driver", "type"))
    return found


def plugged(domain: Element) -> list[str]:
    return [attribute_at(device, "source", "network") or "user" for device in domain.findall("devices/interface")]


def with_snapshot(domain: Element) -> Element:
    """As libvirt stores it after an external snapshot of its first disk, a volume."""
    disk = child(domain, "devices/disk")
    volume = attribute_at(disk, "source", "volume")
    disk.remove(child(disk, "source"))
    disk.set("type", "file")
    child(disk, "driver").set("type", "qcow2")
    disk.append(parse("<source file='/pool/snapshot'/>"))
    below = f"<format type='raw'/><source pool='pool' volume='{volume}'/>"
    disk.append(parse(f"<backingStore type='volume'>{below}</backingStore>"))
    return domain


def test_a_disk_taken_out_of_the_middle_is_the_one_that_goes() -> None:
    domain = new(disks=[ONE, TWO, THREE])
    assert disks(patched(domain, disks=[ONE, THREE], purge=["disks"])) == {
        "vda": ("one", "qcow2"),
        "vdc": ("three", "qcow2"),
    }


def test_an_interface_taken_out_of_the_middle_is_the_one_that_goes() -> None:
    domain = new(interfaces=[N1, N2, USER])
    assert plugged(patched(domain, interfaces=[N1, USER], purge=["interfaces"])) == ["n1", "user"]


@pytest.mark.parametrize(
    ("option", "items"), [("disks", [THREE, TWO, ONE]), ("interfaces", [USER, N2, N1, N1])], ids=["disks", "interfaces"]
)
def test_another_order_moves_nothing(option: str, items: list[dict[str, Any]]) -> None:
    domain = new(**{option: items[::-1]})
    assert dump(patched(domain, **{option: items})) == dump(domain)


def test_an_image_that_nobody_has_goes_to_the_next_disk_of_the_list() -> None:
    domain = new(disks=[ONE, TWO])
    found = target_configuration(
        domain, {"disks": [THREE, TWO]}, Facts(images={("pool", "three"): Image("/x", "qcow2")})
    )
    assert disks(found) == {"vda": ("three", "qcow2"), "vdb": ("two", "raw")}


def test_formats_go_with_images_that_change_places() -> None:
    domain = new(disks=[ONE, TWO])
    swapped = [{**TWO, "target": "vda"}, {**ONE, "target": "vdb"}]
    assert disks(patched(domain, disks=swapped)) == {"vda": ("two", "raw"), "vdb": ("one", "qcow2")}
    moved = patched(new(disks=[ONE, TWO, THREE]), disks=[ONE, {**THREE, "target": "vdb"}], purge=["disks"])
    assert disks(moved) == {"vda": ("one", "qcow2"), "vdb": ("three", "qcow2")}


@pytest.mark.parametrize("more", [{}, {"format": "raw"}, {"target": "vda"}, {"target": "vda", "format": "raw"}])
def test_a_snapshot_on_top_of_a_volume_stays(more: dict[str, str]) -> None:
    """With the format of its own file, not with that of the volume below, which the task may name."""
    domain = with_snapshot(new(disks=[TWO]))
    assert dump(target_configuration(domain, {"disks": [{**TWO, **more}]}, Facts(images=IMAGES))) == dump(domain)
