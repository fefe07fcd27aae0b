# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that no domain can have: libvirt would blame the XML, which the user has not written."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.checks import check_options
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from tests.unit.plugins.module_utils._domain.examples import params


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"title": "one\ntwo"}, "title is one line"),
        ({"title": "one\n"}, "title is one line"),
        ({"disks": [{"boot_order": 0}]}, "disks: boot_order counts from 1; it cannot be 0"),
        ({"cdroms": [{"boot_order": 0}]}, "cdroms: boot_order counts from 1"),
        ({"interfaces": [{"boot_order": -1}]}, "interfaces: boot_order counts from 1; it cannot be -1"),
        ({"disks": [{"target": "foo"}]}, "disks: 'foo' is no target"),
        ({"disks": [{"target": ""}]}, "disks: '' is no target"),
        ({"cdroms": [{"target": "sda1"}]}, "cdroms: 'sda1' is no target"),
        ({"graphics": [{"type": "vnc", "port": 99999}]}, "vnc cannot have port 99999; choose one from 5900 to 65535"),
        ({"graphics": [{"type": "vnc", "port": 5899}]}, "vnc cannot have port 5899"),
        ({"graphics": [{"type": "spice", "port": 0}]}, "spice cannot have port 0; choose one from 1 to 65535"),
        ({"graphics": [{"type": "vnc", "listen": ""}]}, "listen needs an address"),
        ({"graphics": [{"type": "vnc", "listen": "two words"}]}, "listen needs an address"),
    ],
)
def test_a_value_that_no_domain_can_have_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Failure, match=message):
        check_options(params(**options), running=False, final_state="stopped")


@pytest.mark.parametrize(
    "options",
    [
        {"title": ""},
        {"disks": [{"target": "vdaa", "boot_order": 1}, {"target": None, "boot_order": None}]},
        {"cdroms": [{"target": "hda"}]},
        {"graphics": [{"type": "vnc", "port": -1, "listen": "::1"}, {"type": "spice", "port": 1, "listen": "host"}]},
        {"graphics": [{"type": "vnc", "port": 65535, "listen": None}, {"type": "spice", "port": None}]},
    ],
)
def test_what_a_domain_can_have_is_let_through(options: dict[str, Any]) -> None:
    check_options(params(**options), running=False, final_state="stopped")
