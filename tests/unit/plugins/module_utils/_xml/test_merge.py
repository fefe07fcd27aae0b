# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Raw XML laid over libvirt's."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.merge import merge
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element, parse, same


def by_name(element: Element) -> str | None:
    """A host is known by its name."""
    return element.get("name") if element.tag == "host" else None


@pytest.mark.parametrize(
    ("current", "given", "expected"),
    [
        ("<a x='1'><b>t</b></a>", "<a/>", "<a x='1'><b>t</b></a>"),
        ("<a x='1' y='2'/>", "<a x='3'/>", "<a x='3' y='2'/>"),
        ("<a><b>old</b><c/></a>", "<a><b>new</b></a>", "<a><b>new</b><c/></a>"),
        ("<a><b x='1'/></a>", "<a><b>t</b></a>", "<a><b x='1'>t</b></a>"),
        ("<a/>", "<a><b><c/></b></a>", "<a><b><c/></b></a>"),
        # without a key, namesakes go by position, and the given ones are all
        ("<a><b x='1' f='1'/><b x='2'/></a>", "<a><b x='3'/></a>", "<a><b x='3' f='1'/></a>"),
        ("<a><b x='1'/></a>", "<a><b x='1'/><b x='2'/></a>", "<a><b x='1'/><b x='2'/></a>"),
        # with a key, the others stay
        (
            "<a><host name='n' ip='1'/><host name='m' ip='2'/></a>",
            "<a><host name='m' ip='3'/></a>",
            "<a><host name='n' ip='1'/><host name='m' ip='3'/></a>",
        ),
    ],
)
def test_what_is_given_wins_and_the_rest_stays(current: str, given: str, expected: str) -> None:
    target = parse(current)
    merge(target, parse(given), by_name)
    assert same(target, parse(expected))
    merge(target, parse(given), by_name)
    assert same(target, parse(expected))
