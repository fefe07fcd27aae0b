# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import documents, schema
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

# As cloud-init builds its own: one part a module, all of them in force, what they share in $defs; and the keys of the
# top listed once more, since draft 4 sees those of other parts as additional.
SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "$defs": {
        "users_groups.user": {
            "oneOf": [{"required": ["name"]}, {"required": ["snapuser"]}],
            "properties": {
                "name": {"type": "string"},
                "snapuser": {"type": "string"},
                "sudo": {"oneOf": [{"type": ["string", "null"]}, {"type": "boolean"}]},
                "uid": {"oneOf": [{"type": "integer"}, {"type": "string", "changed": True}]},
            },
            "additionalProperties": False,
        },
        "cc_users_groups": {
            "type": "object",
            "properties": {
                "users": {
                    "type": ["string", "array", "object"],
                    "items": {
                        "oneOf": [
                            {"type": "string"},
                            {"type": "array", "items": {"type": "string"}},
                            {"type": "object", "$ref": "#/$defs/users_groups.user"},
                        ]
                    },
                }
            },
        },
        "cc_set_passwords": {
            "type": "object",
            "properties": {
                "ssh_pwauth": {"type": ["boolean", "string"]},
                "passwd": {"type": "array", "minItems": 1},
                "locale": {"oneOf": [{"type": "string"}, {"type": "boolean"}]},
            },
        },
        "cc_write_files": {
            "type": "object",
            "properties": {
                "write_files": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"path": {"type": "string"}, "content": {"type": "string"}},
                        "required": ["path"],
                        "additionalProperties": False,
                    },
                },
                "apt": {
                    "type": "object",
                    "patternProperties": {"^conf_": {"type": "string"}},
                    "additionalProperties": False,
                },
                "resize_rootfs": {"enum": [True, False, "noblock"]},
            },
        },
    },
    "allOf": [
        {"$ref": "#/$defs/cc_users_groups"},
        {"$ref": "#/$defs/cc_set_passwords"},
        {"$ref": "#/$defs/cc_write_files"},
        {
            "properties": {
                key: {} for key in ("users", "ssh_pwauth", "passwd", "locale", "write_files", "apt", "resize_rootfs")
            },
            "additionalProperties": False,
        },
    ],
}


@pytest.fixture
def cloud_init(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has cloud-init, with a small schema."""
    folder = tmp_path / "cloudinit/config/schemas"
    folder.mkdir(parents=True)
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "schema-cloud-config-v1.json").write_text("{")
    (folder / "schema-cloud-config-v1.json").write_text(json.dumps(SCHEMA))
    monkeypatch.setattr(schema, "_folders", lambda: iter([str(tmp_path / "none"), str(damaged), str(folder)]))


def refused(user_data: Any) -> str:
    with pytest.raises(Failure) as failure:
        documents.render({"user_data": user_data}, "iid-1")
    return failure.value.message


@pytest.mark.usefixtures("cloud_init")
class TestWithSchema:
    def test_what_the_schema_allows_passes(self) -> None:
        documents.render({"user_data": {"users": [{"name": "a"}], "resize_rootfs": "noblock"}}, "iid-1")

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (
                {"users": [{"name": 5}]},
                "user_data.users.0.name: must be of the type string, says the schema",
            ),
            ({"write_files": [{}]}, "user_data.write_files.0: lacks path"),
            ({"uzers": []}, "user_data.uzers: there is no such key (did you mean users?), says"),
            ({"uzers": [], "b": 1}, "user_data.uzers: there is no such key (did you mean users?), nor b, says"),
            ({"apt": {"conf_a": "", "zzz": ""}}, "user_data.apt.zzz: there is no such key, says"),
            ({"users": [{"name": "a", "sudo": 7}]}, "user_data.users.0.sudo: has none of the forms"),
            (
                {"resize_rootfs": "now"},
                "user_data.resize_rootfs: must be one of True, False, noblock",
            ),
            ({"ssh_pwauth": 7}, "user_data.ssh_pwauth: must be of the type boolean or string"),
            ({"passwd": []}, "user_data.passwd: breaks the rule minItems: 1"),
        ],
    )
    def test_what_it_refuses_is_named(self, data: Any, message: str) -> None:
        assert message in refused(data)

    def test_a_text_has_the_line(self) -> None:
        assert refused("#cloud-config\nssh_pwauth: true\nusers:\n- name: 5\n").startswith(
            "user_data.users.0.name (line 4): must be of the type string"
        )

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("ssh_pwauth: true\nuzers:\n- name: a\n", "user_data.uzers (line 3): there is no such key"),
            ("write_files:\n- path: /a\n- path: /b\n  contents: c\n", "user_data.write_files.1.contents (line 5): "),
            ("users:\n- default\n- name: a\n  sudo: 7\n", "user_data.users.1.sudo (line 5): "),
        ],
    )
    def test_a_text_has_the_line_of_the_key(self, text: str, place: str) -> None:
        assert refused(f"#cloud-config\n{text}").startswith(place)

    def test_the_wrong_value_itself_stays_out(self) -> None:
        assert "hunter2" not in refused({"passwd": "hunter2"})
        assert "hunter2" not in refused({"locale": ["hunter2"]})

    def test_it_can_be_skipped(self) -> None:
        documents.render({"user_data": {"uzers": []}}, "iid-1", use_schema=False)


def test_a_machine_without_cloud_init_checks_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "_folders", lambda: iter(()))
    documents.render({"user_data": {"uzers": []}}, "iid-1")
