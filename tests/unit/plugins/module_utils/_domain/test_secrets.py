# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a task's options its result must not show."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.secrets import secrets
from tests.unit.plugins.module_utils._domain.examples import params

QEMU = (
    "<domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>web1</name>"
    "<qemu:commandline><qemu:arg value='-foo'/></qemu:commandline></domain>"
)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, set()),
        ({"graphics": [{"type": "vnc", "password": "a1"}, {"type": "spice", "password": None}]}, {"a1"}),
        ({"xml": "<domain><devices><graphics type='vnc' passwd='b2'/></devices></domain>"}, {"b2"}),
        ({"xml": "<domain><sysinfo><entry name='token'>c3</entry></sysinfo></domain>"}, {"c3"}),
        ({"xml": QEMU}, {"-foo"}),
        ({"xml": "<domain passwd='d4'"}, {"<domain passwd='d4'"}),
    ],
)
def test_only_the_secrets_are_hidden(options: dict[str, Any], expected: set[str]) -> None:
    assert secrets(params(**options)) == expected


@pytest.mark.parametrize("written", ["p&amp;SSw1", "p&#38;SSw1", "p&#x26;SSw1"])
@pytest.mark.parametrize("place", ["<graphics type='vnc' passwd='{}'/>", "<entry name='token'>{}</entry>"])
def test_a_secret_is_hidden_as_it_is_written_too(place: str, written: str) -> None:
    """Ansible looks for the texts as they are, so the whole option goes where an escape hides one from it."""
    xml = f"<domain><devices>{place.format(written)}</devices></domain>"
    assert secrets(params(xml=xml)) == {"p&SSw1", xml}


@pytest.mark.parametrize("written", ["<![CDATA[p]]>w", "p<!-- -->w", "p\r\nw"])
def test_a_secret_that_does_not_read_as_it_is_written(written: str) -> None:
    xml = f"<domain><secret>{written}</secret></domain>"
    assert xml in secrets(params(xml=xml))


def test_an_escape_beside_no_secret_hides_nothing() -> None:
    assert secrets(params(xml="<domain><title>R&amp;D</title></domain>")) == set()
