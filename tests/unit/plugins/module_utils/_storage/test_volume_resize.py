# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a volume has the size that was asked for."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_resize import is_size


@pytest.mark.parametrize(
    ("capacity", "wanted", "same"),
    [
        (1024, 1024, True),
        (1024, 1000, True),  # qcow2 rounds up to whole sectors
        (1000, 1000, True),  # raw does not
        (1536, 1000, False),
        (1000, 1024, False),
        (1024, 512, False),
    ],
)
def test_sectors_are_no_change(capacity: int, wanted: int, same: bool) -> None:
    assert is_size(capacity, wanted) is same
