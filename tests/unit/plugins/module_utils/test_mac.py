# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MAC addresses as users write them."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._mac import clean_mac


def test_a_mac_gets_one_spelling() -> None:
    assert clean_mac("52-54-00-AA-BB-0C", "mac") == "52:54:00:aa:bb:0c"


@pytest.mark.parametrize("text", ["52:54:00:aa:bb", "52:54:00:aa:bb:0g", "", "33:33:00:00:00:01"])
def test_a_wrong_mac_is_refused(text: str) -> None:
    with pytest.raises(Failure, match="^mac: "):
        clean_mac(text, "mac")


def test_a_number_is_an_address_without_quotes() -> None:
    """YAML 1.1 reads 52:54:00:12:34:56 as 41135085296."""
    with pytest.raises(Failure, match="in quotes"):
        clean_mac("41135085296", "mac")
