# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The advice of errors that name no option: it must be right for whoever wrote no XML, too."""

from __future__ import annotations

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import explain


@pytest.mark.parametrize("xml", ["<network><name>a/b</name></network>", "<network"])
def test_what_libvirt_cannot_read_may_be_a_name(xml: str) -> None:
    connection = libvirt.open("test:///default")
    with pytest.raises(libvirt.libvirtError) as caught:
        connection.networkDefineXML(xml)
    message = explain("define the network 'a/b'", caught.value).message
    assert message.endswith(". Correct that value of the task, or that place in its XML.")
