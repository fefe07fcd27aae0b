# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a URI says."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._uri import is_local, split_uri, transport


@pytest.mark.parametrize(
    ("uri", "local", "carrier"),
    [
        ("qemu:///system", True, ""),
        ("qemu+unix:///session", True, "unix"),
        ("qemu://kvm1/system", False, ""),
        ("qemu+ssh://kvm1/system", False, "ssh"),
        ("qemu+ssh:///system", False, "ssh"),
        ("qemu+tcp://[fd00::1]:16509/system", False, "tcp"),
        ("qemu+ext:///system?command=/x", False, "ext"),
    ],
)
def test_where_a_daemon_runs(uri: str, local: bool, carrier: str) -> None:
    assert (is_local(uri), transport(uri)) == (local, carrier)


@pytest.mark.parametrize("uri", ["qemu+ssh://[bad/system", "qemu+tcp://kvm1:many/system"])
def test_what_is_no_uri_is_a_sentence(uri: str) -> None:
    with pytest.raises(Failure) as caught:
        split_uri(uri)
    assert caught.value.message.startswith(f"'{uri}' is not a URI: ")
    assert caught.value.message.endswith("Write one such as qemu:///system or qemu+ssh://root@host/system.")
