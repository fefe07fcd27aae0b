# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules that work in a guest make of their options, and of what a guest says."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils import _guest_local as local
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_call import only_reads, secrets_in
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_command import Output
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_copy import absolute
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_options import (
    InventoryHost,
    checked_options,
    domain_of,
    host_of,
    option_values,
    uri_of,
)
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_owners import accounts


def same(value: Any) -> Any:
    return value


def test_options_of_the_task_win_over_variables_and_these_over_defaults() -> None:
    task_vars = {"libvirt_uri": "test:///b", "ansible_libvirt_uri": "test:///a", "ansible_libvirt_wait": 7}
    variables = option_values(InventoryHost("h", {**task_vars, "ansible_libvirt_timeout": 90}), same)
    assert variables == {"uri": "test:///a", "wait": 7, "agent_timeout": 90}
    found = checked_options({"wait": "3"}, {}, {}, variables)
    assert (found["uri"], found["wait"], found["agent"]) == ("test:///a", 3.0, "auto")
    assert (found["agent_timeout"], checked_options({}, {}, {}, {})["agent_timeout"]) == (90.0, 30.0)


def test_an_unknown_option_is_a_sentence() -> None:
    with pytest.raises(Failure, match="nmae"):
        checked_options({"nmae": "web1"}, {}, {}, {})


def test_the_domain_is_named_by_the_task_or_the_variables_or_is_the_host() -> None:
    nothing = {"name": None, "uuid": None}
    variables = {"libvirt_uuid": "u", "libvirt_name": "n"}
    assert domain_of({"name": "t", "uuid": None}, InventoryHost("h", variables), same) == "t"
    assert domain_of(nothing, InventoryHost("h", {**variables, "ansible_libvirt_domain": "d"}), same) == "d"
    assert domain_of(nothing, InventoryHost("h", variables), same) == "u"
    assert domain_of(nothing, InventoryHost("h", {}), same) == "h"


def test_the_host_is_the_one_that_the_task_is_delegated_to_unless_that_is_the_controller() -> None:
    there = {"libvirt_name": "there", "inventory_hostname": "here"}
    delegated = {"web2": there, "localhost": {}, "127.0.0.1": {}}
    task_vars = {"inventory_hostname": "here", "libvirt_name": "here", "ansible_delegated_vars": delegated}
    assert host_of(task_vars, None) == InventoryHost("here", task_vars)
    assert host_of(task_vars, "web2") == InventoryHost("web2", there)
    assert host_of(task_vars, "localhost") == host_of(task_vars, "127.0.0.1") == host_of(task_vars, None)


@pytest.mark.parametrize(
    ("variables", "uri"),
    [
        ({"libvirt_uri": "qemu+tls://k/system", "ansible_host": "k"}, "qemu+tls://k/system"),
        ({"libvirt_uri": "qemu+tls://outer/system", "libvirt_uuid": "u"}, "qemu+ssh://kvm1/system"),
        ({"ansible_connection": "local"}, "qemu:///system"),
        (
            {"ansible_host": "10.0.0.1", "ansible_user": "root", "ansible_port": 22},
            "qemu+ssh://root@10.0.0.1:22/system",
        ),
    ],
)
def test_a_hypervisor_of_the_inventory_stands_for_its_uri(variables: dict[str, Any], uri: str) -> None:
    assert uri_of("kvm1", {"kvm1": variables}) == uri
    assert uri_of("alias-of-libvirt", {"kvm1": variables}) == "alias-of-libvirt"
    assert uri_of("test:///default", {"test:///default": variables}) == "test:///default"


def test_output_is_shown_without_control_characters_and_kept_as_it_is() -> None:
    shown: list[str] = []
    output = Output(shown.append)
    for piece in (b"a\x1b[2J", b"b\r\nsec", b"ond"):
        output.take("stdout", piece)
    output.end()
    assert shown == ["stdout: a?[2Jb", "stdout: second"]
    assert output.text("stdout") == "a\x1b[2Jb\r\nsecond"


def test_output_is_bounded() -> None:
    shown: list[str] = []
    output = Output(shown.append, limit=10)
    for _time in range(100):
        output.take("stderr", b"x" * 1000)
    output.end()
    assert output.text("stderr") == "x" * 10
    assert output.truncated == {"stderr"}
    assert len(shown) == 1
    assert len(shown[0]) < 2100


def test_passwords_are_found_at_any_depth() -> None:
    params = {"user": "alice", "password": "one", "more": [{"New-Password": "two"}], "password_hashed": True}
    assert secrets_in(params) == {"one", "two"}
    assert secrets_in(None) == set()


@pytest.mark.parametrize(
    ("method", "reads"),
    [("get_metrics", True), ("guest-get-osinfo", True), ("ping", True), ("exec_command", False), ("set_time", False)],
)
def test_only_methods_that_are_known_to_read_run_in_check_mode(method: str, reads: bool) -> None:
    assert only_reads(method) is reads


@pytest.mark.parametrize("path", ["", "etc", "/etc/../root", "/.."])
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(Failure, match="not an absolute path"):
        absolute(path)


def test_a_path_is_sent_without_what_says_nothing() -> None:
    assert absolute("//etc//a/./b/") == "/etc/a/b"


def test_accounts_survive_lines_that_make_no_sense() -> None:
    assert accounts(b"root:x:0:0\n\xff\nbad:x:many:\n:::\nuser:x:1000:1000:::\nuser:x:7:\n") == {
        "root": 0,
        "user": 1000,
    }


def test_a_tree_that_holds_itself_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path)
    with pytest.raises(Failure, match="would never end"):
        local.tree(str(tmp_path), same)


def test_a_link_to_nowhere_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "gone").symlink_to("nowhere")
    with pytest.raises(Failure, match="neither a file nor a directory"):
        local.tree(str(tmp_path), same)


def break_off(place: pathlib.Path) -> None:
    with local.written(str(place)) as sink:
        sink.write(b"new")
        raise Failure("gone")


def test_what_breaks_off_leaves_the_old_file(tmp_path: pathlib.Path) -> None:
    place = tmp_path / "file"
    place.write_text("old")
    with pytest.raises(Failure, match="gone"):
        break_off(place)
    assert place.read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]
