# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a task's options to a pool's XML."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.pool_definition import (
    define,
    is_as_defined,
    settings,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import parse, text_at

# As libvirt 9.0 writes it.
STORED = """
<pool type='dir'>
  <name>images</name>
  <uuid>59e7d872-c14c-400d-9765-c707e77576b1</uuid>
  <capacity unit='bytes'>270553174016</capacity>
  <allocation unit='bytes'>24137048064</allocation>
  <available unit='bytes'>246416125952</available>
  <source>
  </source>
  <target>
    <path>/srv/images</path>
    <permissions>
      <mode>0711</mode>
      <owner>0</owner>
      <group>0</group>
    </permissions>
  </target>
</pool>
"""
NFS = """
<pool type='netfs'>
  <name>images</name>
  <source><host name='nfs1'/><dir path='/export'/><format type='nfs'/></source>
  <target><path>/mnt/images/</path></target>
</pool>
"""


def defined(stored: str | None = STORED, **options: Any) -> Any:
    """The target for a pool named images."""
    return define(None if stored is None else parse(stored), {"name": "images", **options})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"path": "/srv/images"},
        {"path": "/srv//images/"},
        {"mode": "0711", "owner": 0, "group": 0},
        {"mode": "711"},
        {"uuid": "59E7D872-C14C-400D-9765-C707E77576B1"},
        {"xml": STORED},
        {"xml": "<pool type='dir'/>"},
        {"xml": "<pool><target><path>/srv/images//</path><permissions><mode>711</mode></permissions></target></pool>"},
        {"xml": "<pool><target><permissions><owner>-1</owner><group>-1</group></permissions></target></pool>"},
    ],
)
def test_what_is_there_already_is_no_change(options: dict[str, Any]) -> None:
    assert is_as_defined(parse(STORED), defined(**options))


@pytest.mark.parametrize(
    ("options", "option", "value"),
    [
        ({"path": "/srv/other"}, "path", "/srv/other"),
        ({"mode": "755"}, "mode", "0755"),
        ({"owner": 107}, "owner", 107),
        ({"xml": "<pool><target><path>/srv/other/</path></target></pool>"}, "path", "/srv/other"),
        ({"xml": "<pool><target><path>/a</path></target></pool>", "path": "/b"}, "path", "/b"),
    ],
)
def test_only_what_is_named_changes(options: dict[str, Any], option: str, value: Any) -> None:
    target = defined(**options)
    assert not is_as_defined(parse(STORED), target)
    assert settings(target) == {**settings(parse(STORED)), option: value}
    assert text_at(target, "uuid") == "59e7d872-c14c-400d-9765-c707e77576b1"


def test_a_new_pool_is_a_directory() -> None:
    target = defined(None, path="/srv/images/", mode="0750")
    assert settings(target) == {"type": "dir", "path": "/srv/images", "mode": "0750"}
    assert text_at(target, "name") == "images"
    assert text_at(target, "uuid") is None


def test_a_new_pool_of_another_type_comes_from_xml() -> None:
    assert settings(defined(None, xml=NFS)) == {
        "type": "netfs",
        "path": "/mnt/images",
        "xml": {"source": {"host": {"name": "nfs1"}, "dir": {"path": "/export"}, "format": {"type": "nfs"}}},
    }


@pytest.mark.parametrize(
    ("stored", "options", "sentence"),
    [
        (None, {}, "give the path of its directory"),
        (None, {"xml": "<pool/>"}, "does not say of which type"),
        (None, {"path": "images"}, "path: 'images' is not an absolute path"),
        (None, {"path": "/a", "mode": 457}, "mode: '457' is not a mode.*in quotes"),
        (None, {"path": "/a", "mode": "0788"}, "'0788' is not a mode"),
        (None, {"path": "/a", "uuid": "x"}, "uuid: 'x' is not a uuid"),
        (None, {"xml": "<network/>"}, "holds a <network>, not the <pool>"),
        (None, {"xml": "<pool type='dir'><name>other</name></pool>"}, "names the pool 'other'.*'images'"),
        (None, {"xml": "<pool type='dir'>"}, "not well-formed.*line 1"),
        (
            None,
            {"xml": "<pool><target><permissions><owner>qemu</owner></permissions></target></pool>"},
            "'qemu'",
        ),
        (STORED, {"xml": NFS}, "has the type dir, not netfs, and that cannot change"),
        (STORED, {"uuid": "00000000-0000-4000-8000-000000000001"}, "has the uuid 59e7d872.* and that cannot change"),
    ],
)
def test_bad_options_are_refused_with_a_sentence(stored: str | None, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        defined(stored, **options)


def test_figures_that_libvirt_ignores_are_never_sent() -> None:
    target = defined(xml=STORED)
    assert [target.find(figure) for figure in ("capacity", "allocation", "available")] == [None, None, None]
