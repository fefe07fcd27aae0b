# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""XML read safely and compared by meaning."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    child,
    clone,
    dump,
    glance,
    parse,
    remove,
    same,
    text_at,
)


@pytest.mark.parametrize("read", [parse, glance])
def test_a_document_type_is_refused_before_its_entities_grow(read: Callable[[str], object]) -> None:
    bomb = "<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><d>&b;</d>"
    with pytest.raises(Failure, match="document type declaration"):
        read(bomb)


def test_a_glance_finds_what_a_tree_has() -> None:
    tree = glance("<d xmlns:x='urn:x'>\n  <a/>\n  <x:b name='1'> text </x:b>\n</d>")
    assert text_at(tree, "{urn:x}b") == "text"
    with pytest.raises(Failure, match=r"XML is not well-formed: .*\. Look at line 1, column 0\."):
        glance("<d")


def test_what_is_not_well_formed_is_named_with_its_place() -> None:
    with pytest.raises(Failure, match=r"The option xml is not well-formed: .*\. Look at line 2, column 2\."):
        parse("<domain>\n</oops>", "The option xml")


def test_order_and_white_space_mean_nothing() -> None:
    one = parse("<d><a x='1' y='2'/><b>text</b></d>")
    other = parse("<d>\n  <b> text </b>\n  <!-- a comment --><a y='2' x='1'/>\n</d>")
    assert same(one, other)


def test_order_among_namesakes_means_something() -> None:
    assert not same(parse("<d><b dev='hd'/><b dev='net'/></d>"), parse("<d><b dev='net'/><b dev='hd'/></d>"))


def test_child_creates_what_is_missing_and_finds_what_is_there() -> None:
    root = parse("<d><os><type>hvm</type></os></d>")
    assert child(root, "os/type").text == "hvm"
    child(root, "os/loader").text = "x"
    assert len(root.findall("os")) == 1
    assert text_at(root, "os/loader") == "x"


def test_remove_takes_parents_that_are_left_empty() -> None:
    root = parse("<d><a><b><c/></b></a><e/></d>")
    remove(root, "a/b/c")
    assert same(root, parse("<d><e/></d>"))
    remove(root, "not/there")
    assert same(root, parse("<d><e/></d>"))


def test_a_dump_reads_back_the_same() -> None:
    root = parse("<d><a x='&lt;&quot;'/><b>t&amp;x</b></d>")
    assert same(parse(dump(root)), root)
    changed = clone(root)
    changed.set("new", "1")
    assert root.get("new") is None
