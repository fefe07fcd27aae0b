# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a volume has the size that was asked for, and what keeps it from having it."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Plan
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_resize import add_resize, is_size
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_users import VolumeNames


@pytest.mark.parametrize(
    ("capacity", "wanted", "same"),
    [
        (1024, 1024, True),
        (1024, 1000, True),  # QEMU rounds qcow2 up to whole sectors
        (24414063 * 1024, 25 * 10**9, True),  # and libvirt a new one to whole KiB
        (976563 * 1024, 10**9, True),
        (1024, 1, True),
        (1000, 1000, True),  # raw does not
        (1536, 1000, False),
        (1000, 1024, False),
        (2048, 512, False),
    ],
)
def test_rounding_is_no_change(capacity: int, wanted: int, same: bool) -> None:
    assert is_size(capacity, wanted) is same


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (1 << 30, "cannot shrink, because /srv/images/web1.qcow2 is laid over it"),
        (0, "a volume of 0 bytes can hold nothing"),
    ],
)
def test_what_would_hurt_is_refused(read_only: Hypervisor, wanted: int, sentence: str) -> None:
    base = VolumeNames("images", "base.qcow2", "/srv/images/base.qcow2")
    with pytest.raises(Failure, match=sentence):
        add_resize(Plan(), read_only, None, base, 2 << 30, wanted, allow_shrink=True)
