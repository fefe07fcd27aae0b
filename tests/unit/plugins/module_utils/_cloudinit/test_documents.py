# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import documents
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

OPTIONS: dict[str, Any] = {
    "user_data": {"users": ["default"], "write_files": [{"path": "/a", "content": "one\ntwo\n"}]},
    "meta_data": {"local-hostname": "web1"},
    "network_config": {"version": 2, "ethernets": {"nic": {"dhcp4": True}}},
    "vendor_data": None,
}


def refused(options: dict[str, Any]) -> str:
    with pytest.raises(Failure) as failure:
        documents.render({**OPTIONS, **options}, "iid-1")
    return failure.value.message


def test_structures_become_yaml_in_their_order() -> None:
    texts = documents.render(OPTIONS, "iid-1")
    assert texts["user-data"] == (
        "#cloud-config\nusers:\n- default\nwrite_files:\n- path: /a\n  content: |\n    one\n    two\n"
    )
    assert texts["meta-data"] == "instance-id: iid-1\nlocal-hostname: web1\n"
    assert yaml.safe_load(texts["network-config"]) == OPTIONS["network_config"]
    assert list(texts) == ["user-data", "meta-data", "network-config"]


def test_text_stays_as_it_is() -> None:
    script = "#!/bin/sh\n# nobody touches  this\n"
    network = "# mine\nnetwork:\n  version: 2\n"
    meta = "instance-id: mine # yes\n"
    texts = documents.render(
        {"user_data": script, "network_config": network, "meta_data": meta, "vendor_data": script},
        "iid-1",
    )
    assert texts == {
        "user-data": script,
        "meta-data": meta,
        "network-config": network,
        "vendor-data": script,
    }


def test_nothing_given_is_an_empty_cloud_config() -> None:
    assert documents.render({}, "iid-1") == {
        "user-data": "#cloud-config\n",
        "meta-data": "instance-id: iid-1\n",
    }


def test_instance_id_is_added_to_a_text_without_one() -> None:
    texts = documents.render({"meta_data": "{local-hostname: web1}"}, "iid-1")
    assert yaml.safe_load(texts["meta-data"]) == {"instance-id": "iid-1", "local-hostname": "web1"}


def test_content_id_follows_the_content_alone() -> None:
    assert documents.content_id(OPTIONS) == documents.content_id(dict(reversed(OPTIONS.items())))
    assert documents.content_id(OPTIONS) != documents.content_id({**OPTIONS, "vendor_data": "#!/bin/sh"})
    moved = {"user_data": "ab", "meta_data": "c"}, {"user_data": "a", "meta_data": "bc"}
    assert documents.content_id(moved[0]) != documents.content_id(moved[1])


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("#cloud-config\nusers:\n  - name: a\n   shell: /bin/sh\n", "user_data, line 4, column 4:"),
        ("#cloud-config\na: b\n\tc: d\n", "user_data, line 3, column 1:"),
        ("#cloud-config\na: 'open\n", "user_data, line 3, column 1:"),
        (
            "#cloud-config\na: 1\nb: 2\na: 3\n",
            "user_data, line 4: the key 'a' is there twice, first in line 2",
        ),
        ("#cloud-config\na: {b: 1, b: 2}\n", "user_data, line 2: the key 'b' is there twice"),
        ("#cloud-config\n- a\n- b\n", "user_data, line 2: a cloud-config must be a mapping"),
        ("#cloud-config\na: !!python/object:os.system x\n", "user_data, line 2, column 4:"),
        ("#cloud-config\na: \x01\n", "user_data, line 2: a character that YAML does not allow"),
        (
            "#cloud-config-archive\na: b\n",
            "user_data, line 2: a cloud-config-archive must be a list",
        ),
        (
            "users:\n- default\n",
            "user_data, line 1: cloud-init does not know this text by its first line. Put #cloud",
        ),
        ("hello world", "It must be one of: #cloud-config, #!/bin/sh"),
        ("## template: jinja\nusers: []\n", "user_data, line 2: after '## template: jinja'"),
        ("# cloud-config\na: b\n", "user_data, line 1:"),
    ],
)
def test_wrong_user_data_names_its_line(text: str, where: str) -> None:
    assert where in refused({"user_data": text})


@pytest.mark.parametrize(
    "text",
    [
        "#cloud-config\n",
        "#cloud-config\n{}\n",
        "#cloud-config  \na: b\n",
        "#!/usr/bin/env python3\nprint(1)\n",
        "#include\nhttps://example.com/a\n",
        "#cloud-boothook\n#!/bin/sh\n",
        "## template: jinja\n#cloud-config\nhostname: {{ ds.meta_data.local_hostname }}\n",
        "#cloud-config-archive\n- type: text/cloud-config\n  content: 'a: b'\n",
        'Content-Type: multipart/mixed; boundary="==B=="\nMIME-Version: 1.0\n\n--==B==\n',
    ],
)
def test_every_format_of_cloud_init_passes(text: str) -> None:
    assert documents.render({"user_data": text}, "iid-1")["user-data"] == text


def test_a_secret_in_a_text_without_header_stays_out_of_the_error() -> None:
    assert "hunter2" not in refused({"user_data": "password: hunter2"})


@pytest.mark.parametrize("option", ["user_data", "vendor_data"])
def test_a_list_is_no_cloud_config(option: str) -> None:
    assert refused({option: ["a"]}) == (
        f"{option}: give a structure of cloud-config's keys, or a text; this is a list."
    )


@pytest.mark.parametrize(
    ("meta", "where"),
    [
        ({"instance-id": 5}, "meta_data.instance-id: an instance-id is a text"),
        ("a: b\ninstance-id: 5\n", "meta_data.instance-id (line 2): an instance-id is a text"),
        ({"local-hostname": "a_b"}, "meta_data.local-hostname: a host name has"),
        ({"local-hostname": "-a"}, "meta_data.local-hostname"),
        ({"local-hostname": "a" * 64}, "meta_data.local-hostname"),
        ({"local-hostname": 7}, "meta_data.local-hostname"),
        ("- a\n", "meta_data (line 1): give a mapping"),
        (["a"], "meta_data: give a mapping"),
    ],
)
def test_wrong_meta_data_is_refused(meta: Any, where: str) -> None:
    assert where in refused({"meta_data": meta})
