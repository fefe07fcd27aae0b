# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The XML of volumes, written and read."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_definition import (
    UNKNOWN,
    Backing,
    VolumeSpec,
    describe_volume,
    volume_xml,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import parse, same

# As libvirt 9.0 writes it.
OVERLAY = """
<volume type='file'>
  <name>web1.qcow2</name>
  <key>/srv/images/web1.qcow2</key>
  <capacity unit='bytes'>4194304</capacity>
  <allocation unit='bytes'>200704</allocation>
  <physical unit='bytes'>196616</physical>
  <target>
    <path>/srv/images/web1.qcow2</path>
    <format type='qcow2'/>
    <permissions><mode>0600</mode><owner>0</owner><group>0</group></permissions>
  </target>
  <backingStore>
    <path>/srv/images/base.qcow2</path>
    <format type='qcow2'/>
  </backingStore>
</volume>
"""


@pytest.mark.parametrize(
    ("spec", "xml"),
    [
        (
            VolumeSpec("a.qcow2", 1024),
            "<volume><name>a.qcow2</name><capacity unit='bytes'>1024</capacity><allocation unit='bytes'>0</allocation>"
            "<target><format type='qcow2'/></target></volume>",
        ),
        (
            VolumeSpec("a.raw", 1024, "raw", "full"),
            "<volume><name>a.raw</name><capacity unit='bytes'>1024</capacity><allocation unit='bytes'>1024</allocation>"
            "<target><format type='raw'/></target></volume>",
        ),
        (
            VolumeSpec("a&b", backing=Backing("/srv/<base>", "raw")),
            "<volume><name>a&amp;b</name><allocation unit='bytes'>0</allocation><target><format type='qcow2'/></target>"
            "<backingStore><path>/srv/&lt;base></path><format type='raw'/></backingStore></volume>",
        ),
    ],
)
def test_a_new_volume(spec: VolumeSpec, xml: str) -> None:
    assert same(parse(volume_xml(spec)), parse(xml))


def test_what_is_returned_of_a_volume() -> None:
    assert describe_volume(OVERLAY, "images") == {
        "name": "web1.qcow2",
        "pool": "images",
        "type": "file",
        "path": "/srv/images/web1.qcow2",
        "key": "/srv/images/web1.qcow2",
        "format": "qcow2",
        "capacity": 4194304,
        "allocation": 200704,
        "physical": 196616,
        "backing": {"path": "/srv/images/base.qcow2", "format": "qcow2"},
    }


def test_a_volume_about_which_nothing_is_known_has_the_same_keys() -> None:
    assert UNKNOWN.keys() == describe_volume(OVERLAY, "images").keys()
    assert set(UNKNOWN.values()) == {None}
