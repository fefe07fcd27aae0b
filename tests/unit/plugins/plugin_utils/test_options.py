# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that Ansible does not check for us."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._fleet import member
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_options import checked_options
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._options import validated


class Vaulted(Sequence[str]):
    """An inline ``!vault`` as ansible-core has it until 2.19."""

    __ENCRYPTED__ = True
    __UNSAFE__ = True

    def __str__(self) -> str:
        return "hunter2"

    def __len__(self) -> int:
        return len(str(self))

    def __getitem__(self, index: Any) -> Any:
        return str(self)[index]


def test_a_password_may_be_vaulted_in_the_file_of_an_inventory() -> None:
    given = member({"uri": "qemu+tcp://h/system", "password": Vaulted()}, "connections[0]")
    assert given.options.password == "hunter2"


def test_a_password_may_be_vaulted_in_a_task_or_a_variable() -> None:
    assert checked_options({"password": Vaulted()}, {}, {}, {})["password"] == "hunter2"
    assert checked_options({}, {}, {}, {"password": Vaulted()})["password"] == "hunter2"


def test_an_option_that_is_none_is_said_to_be_unsupported() -> None:
    with pytest.raises(Failure) as raised:
        validated({"nam": "x"}, {"name": {"type": "str"}}, {}, before="rule: ")
    assert raised.value.message == "rule: Unsupported parameters: nam. Supported parameters include: name."
