# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Field tables: read, patch in place, and leave alone what has its value."""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import (
    INTEGER,
    ON_OFF,
    YES_NO,
    Field,
    PresenceField,
    SizeField,
    patch_fields,
    read_fields,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import canonical, parse, same

FIELDS = (
    Field("title", "title"),
    Field("cache", "driver@cache"),
    Field("kind", "@type"),
    Field("queues", "driver@queues", INTEGER),
    Field("rom", "rom@bar", ON_OFF),
    Field("shared", "share@on", YES_NO),
    PresenceField("readonly", "readonly"),
    SizeField("memory", "memory"),
    SizeField("capacity", "capacity"),
)


def test_reads_each_kind() -> None:
    element = parse(
        "<d type='file'><title>x</title><driver cache='none' queues='4'/><rom bar='off'/><share on='yes'/>"
        "<readonly/><memory>2048</memory><capacity unit='G'>1</capacity></d>"
    )
    assert read_fields(element, FIELDS) == {
        "title": "x",
        "cache": "none",
        "kind": "file",
        "queues": 4,
        "rom": False,
        "shared": True,
        "readonly": True,
        "memory": 2048 * 1024,
        "capacity": 1024**3,
    }


def test_writes_what_is_named_and_reads_it_back() -> None:
    element = parse("<d/>")
    options = {
        "title": "x",
        "cache": "none",
        "kind": "file",
        "queues": 4,
        "rom": False,
        "shared": True,
        "readonly": True,
        "memory": "2 GiB",
        "capacity": "10 GB",
    }
    patch_fields(element, FIELDS, options)
    assert read_fields(element, FIELDS) == {**options, "memory": 2 * 1024**3, "capacity": 10**10}
    before = canonical(element)
    patch_fields(element, FIELDS, options)
    assert canonical(element) == before


def test_what_has_its_value_keeps_libvirts_spelling() -> None:
    element = parse("<d><memory unit='GiB'>2</memory></d>")
    patch_fields(element, FIELDS, {"memory": 2147483648})
    assert same(element, parse("<d><memory unit='GiB'>2</memory></d>"))


def test_an_empty_text_removes() -> None:
    element = parse("<d><title>x</title><driver cache='none'/></d>")
    patch_fields(element, FIELDS, {"title": "", "cache": "", "readonly": False})
    assert same(element, parse("<d/>"))


def test_nothing_named_nothing_touched() -> None:
    element = parse("<d><title>x</title><unheard of='it'/></d>")
    before = canonical(element)
    patch_fields(element, FIELDS, {"title": None})
    assert canonical(element) == before
