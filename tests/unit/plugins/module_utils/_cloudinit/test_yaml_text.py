# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML texts, also those that PyYAML answers with something else than its own errors."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import meta_data, yaml_text
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", None),
        ("a: &x [1]\nb: *x\n", {"a": [1], "b": [1]}),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", {"a": {"b": 1}, "c": {"b": 1}}),
    ],
)
def test_texts_and_their_data(text: str, data: object) -> None:
    assert yaml_text.parse(text, "o").data == data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2023-02-30\n", "o, line 2: this looks like a value of the type timestamp, but is none. Correct it"),
        ("a: !!int x\n", "o, line 1: this looks like a value of the type int"),
        ("x: &x {c: 1}\na:\n  <<: *x\n  b: !!bool x\n", "o, line 4: this looks like a value of the type bool"),
        ("a: !!timestamp x\n", "o, line 1: this looks like a value of the type timestamp"),
        ("a: !!int ''\n", "o, line 1: this looks like a value of the type int"),
        ("a: &x [*x]\n", "o, line 1: this value contains itself through an alias"),
        ("b:\n  a: &x\n    c: {d: *x}\n", "o, line 2: this value contains itself through an alias"),
        ("a: " + "[" * 150 + "]" * 150, "o: it is nested too deeply."),
        ("a: " + "[" * 5000 + "]" * 5000, "o: it is nested too deeply."),
        ("a: [1\n", "o, line 2, column 1: this is not YAML"),
        ("a: 1\na: 2\n", "o, line 2: the key 'a' is there twice, first in line 1. Remove one."),
    ],
)
def test_what_is_wrong_has_its_line(text: str, message: str) -> None:
    with pytest.raises(Failure) as failure:
        yaml_text.parse(text, "o")
    assert failure.value.message.startswith(message)


def test_aliases_cannot_grow_without_measure() -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 9)]
    with pytest.raises(Failure, match="stand for more than 1000000 values"):
        yaml_text.parse("\n".join(lines), "o")


@pytest.mark.parametrize("text", ["a: 2023-02-30\n", "instance-id: &x [*x]\n", "instance-id: !!int x\n"])
def test_somebody_elses_meta_data_may_be_wrong(text: str) -> None:
    assert meta_data.instance_id_of(text) is None
