# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the connection plugin makes of a guest; tests/e2e runs modules through it in a real one."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.loader import action_loader, connection_loader

from ansible_collections.kvmmanager.libvirt.plugins.connection import guest as plugin
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import (
    Command,
    Ended,
    GuestError,
    GuestUnreachable,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure


class Guest:
    """A guest in which ``/link`` leads to ``/real``, and nothing else is there."""

    where = "the guest of 'web1'"
    agent = "kvmmanager"
    messages = (3, 2)

    def __init__(self) -> None:
        self.ran: list[tuple[Command, float, bytes | None]] = []
        self.files: dict[str, bytes] = {}
        self.failure: Exception | None = None
        self.ended = Ended(0, None, b"out", b"err")
        self.open = False

    def run(self, command: Command, timeout: float, stdin: bytes | None = None) -> Ended:
        self.ran.append((command, timeout, stdin))
        if self.failure is not None:
            raise self.failure
        if command.argv[0] == "readlink":
            return Ended(0, None, b"/real\n" if command.argv[-1] == "/link" else command.argv[-1].encode() + b"\n")
        return self.ended

    def put(self, source: BinaryIO, path: str, timeout: float) -> None:
        self._check(path)
        self.files[path] = source.read()

    def get(self, path: str, sink: BinaryIO, timeout: float) -> None:
        self._check(path)
        sink.write(b"first half")
        if self.failure is not None:
            raise self.failure
        sink.write(b" and second")

    def _check(self, path: str) -> None:
        if path in ("/link", "/folder"):
            raise GuestError(wire.WRONG_TYPE, f"{path} is no regular file.")


@pytest.fixture
def guest(monkeypatch: pytest.MonkeyPatch) -> Guest:
    """The only guest that can be opened."""
    the_guest = Guest()

    @contextlib.contextmanager
    def connect(_options: Any) -> Iterator[str]:
        yield "hypervisor"

    @contextlib.contextmanager
    def open_guest(_hypervisor: str, domain: str, *_options: Any) -> Iterator[Guest]:
        if domain != "web1":
            raise GuestUnreachable(f"The domain '{domain}' does not run.")
        the_guest.open = True
        yield the_guest
        the_guest.open = False

    monkeypatch.setattr(plugin, "connect", connect)
    monkeypatch.setattr(plugin, "open_guest", open_guest)
    return the_guest


def connection(**variables: Any) -> Any:
    """The plugin, as a task of the host web1 gets it."""
    found = connection_loader.get("kvmmanager.libvirt.guest", PlayContext(), None)
    found.set_options(var_options={"inventory_hostname": "web1", **variables})
    return found


def test_commands(guest: Guest) -> None:
    opened = connection(ansible_libvirt_command_timeout=7)
    assert opened.exec_command("echo $HOME", in_data=b"module") == (0, b"out", b"err")
    assert guest.ran == [(Command(["/bin/sh", "-c", "echo $HOME"]), 7.0, b"module")]
    opened.exec_command("cat")
    assert guest.ran[-1][2] == b""
    guest.ended = Ended(None, "KILL")
    assert opened.exec_command("kill -9 $$")[0] == -9


def test_a_line_that_starts_one_program_needs_no_shell(guest: Guest) -> None:
    opened = connection()
    commands = {
        "/bin/sh -c '/usr/bin/python3 && sleep 0'": Command(["/usr/bin/python3"], warm=True),
        "/bin/sh -c '/opt/my-venv/bin/python3.12 && sleep 0'": Command(["/opt/my-venv/bin/python3.12"], warm=True),
        "/bin/sh -c 'X=y /usr/bin/python3 && sleep 0'": Command(["/bin/sh", "-c", "X=y /usr/bin/python3"]),
        "/bin/sh -c '/usr/bin/python3 x.py && sleep 0'": Command(["/bin/sh", "-c", "/usr/bin/python3 x.py"]),
        """/bin/bash -c 'echo '"'"'a b'"'"''""": Command(["/bin/bash", "-c", "echo 'a b'"]),
    }
    for line, command in commands.items():
        opened.exec_command(line)
        assert guest.ran[-1][0] == command
    # What only looks like it: the shell does more here than to start one program.
    for line in ("/bin/sh -c true; false", "/bin/sh -c $HOME", "sh -c true", "/bin/sh -c 'a", '/bin/sh -c "a b"'):
        opened.exec_command(line)
        assert guest.ran[-1][0] == Command(["/bin/sh", "-c", line])


def test_a_module_that_is_pipelined_needs_no_shell(guest: Guest) -> None:
    """As Ansible itself words it: without this nothing would be wrong, but slow."""
    opened = connection()
    action = action_loader.get(
        "ansible.builtin.normal",
        task=None,
        connection=opened,
        play_context=opened._play_context,
        loader=None,
        templar=None,
        shared_loader_obj=None,
    )
    line = opened._shell.build_module_command("", "#!/usr/bin/python3", "")
    action._low_level_execute_command(line, sudoable=False, in_data=b"module")
    assert guest.ran[-1][0] == Command(["/usr/bin/python3"], warm=True)


def test_a_guest_is_open_until_it_is_closed_or_reset(guest: Guest) -> None:
    opened = connection()
    for end in (opened.close, opened.reset):
        opened.exec_command("true")
        assert guest.open
        end()
        assert not guest.open
    opened.close()


def test_the_last_variable_names_the_domain(guest: Guest) -> None:
    connection(inventory_hostname="a", libvirt_name="b", libvirt_uuid="web1").exec_command("true")
    connection(libvirt_uuid="c", ansible_libvirt_domain="web1").exec_command("true")
    with pytest.raises(AnsibleConnectionFailure, match="'b' does not run"):
        connection(libvirt_name="b").exec_command("true")
    assert len(guest.ran) == 2


def test_an_open_guest_is_left_when_the_next_item_of_a_loop_is_for_another_one(guest: Guest) -> None:
    opened = connection()
    opened.exec_command("true")
    stays = []
    for more in ({"ansible_libvirt_command_timeout": 9}, {"ansible_libvirt_agent": "qemu"}):
        opened.set_options(var_options={"inventory_hostname": "web1", **more})
        stays.append(guest.open)
    assert stays == [True, False]
    opened.exec_command("true")
    opened.set_options(task_keys={"delegate_to": "web2"}, var_options={"inventory_hostname": "web1"})
    assert not guest.open
    with pytest.raises(AnsibleConnectionFailure, match="'web2' does not run"):
        opened.exec_command("true")


def test_no_option_takes_the_value_of_a_keyword_by_having_its_name(guest: Guest) -> None:
    opened = connection()
    ours = set(opened._options)
    # What TaskExecutor gives besides the keywords of a task.
    assert ours & {*Task.fattributes, "timeout", "password"} == {"delegate_to"}


def test_the_shell_is_that_of_the_guest(guest: Guest) -> None:
    opened = connection()
    opened._shell.SHELL_FAMILY = "csh"
    opened.exec_command("true")
    assert guest.ran[-1][0].argv == ["csh", "-c", "true"]
    windows = connection()
    windows._shell.SHELL_FAMILY = "powershell"
    with pytest.raises(AnsibleError, match="guests with Windows cannot be managed through it yet"):
        windows.exec_command("true")
    with pytest.raises(AnsibleError, match="guests with Windows"):
        windows.fetch_file("/file", "here")


def test_a_host_of_the_inventory_is_no_uri(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(_options: Any) -> Any:
        raise Failure("Cannot open kvm1.")

    monkeypatch.setattr(plugin, "connect", connect)
    with pytest.raises(AnsibleConnectionFailure, match=r"hostvars\['kvm1'\]\.libvirt_uri"):
        connection(ansible_libvirt_uri="kvm1").exec_command("true")


def test_pipelining_is_on_unless_somebody_turns_it_off(guest: Guest) -> None:
    assert connection().get_option("pipelining") is True
    assert connection(ansible_pipelining=False).get_option("pipelining") is False


@pytest.mark.parametrize(
    ("failure", "expected", "words"),
    [
        (GuestUnreachable("It is gone."), AnsibleConnectionFailure, "It is gone."),
        (GuestError(wire.DENIED, "It refuses."), AnsibleError, "It refuses."),
        (GuestError(wire.TIMED_OUT, "It takes long."), AnsibleError, "ansible_libvirt_command_timeout"),
    ],
)
def test_errors_are_those_of_ansible(guest: Guest, failure: Exception, expected: type, words: str) -> None:
    guest.failure = failure
    opened = connection()
    with pytest.raises(expected, match=words) as raised:
        opened.exec_command("true")
    assert isinstance(raised.value, AnsibleConnectionFailure) == isinstance(failure, GuestUnreachable)
    # One that is gone is opened anew by the next attempt.
    assert guest.open != isinstance(failure, GuestUnreachable)


def test_more_output_than_can_be_taken(guest: Guest) -> None:
    guest.ended = Ended(0, None, b"some", b"", stdout_truncated=True)
    with pytest.raises(AnsibleError, match="wrote more than can be taken"):
        connection().exec_command("yes")


def test_copies_follow_links(guest: Guest, tmp_path: pathlib.Path) -> None:
    here = tmp_path / "here"
    here.write_bytes(b"content")
    opened = connection()
    opened.put_file(str(here), "/link")
    assert guest.files == {"/real": b"content"}
    opened.fetch_file("/link", str(here))
    assert here.read_bytes() == b"first half and second"
    for copy in (lambda: opened.put_file(str(here), "/folder"), lambda: opened.fetch_file("/folder", str(here))):
        with pytest.raises(AnsibleError, match="no regular file"):
            copy()


def test_a_fetch_that_breaks_leaves_what_was_there(guest: Guest, tmp_path: pathlib.Path) -> None:
    here = tmp_path / "here"
    here.write_bytes(b"old")
    guest.failure = GuestUnreachable("It is gone.")
    with pytest.raises(AnsibleConnectionFailure):
        connection().fetch_file("/file", str(here))
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("here", b"old")]


def test_files_of_the_controller_that_are_not_there(guest: Guest, tmp_path: pathlib.Path) -> None:
    with pytest.raises(AnsibleFileNotFound, match="There is no file"):
        connection().put_file(str(tmp_path / "none"), "/file")
    with pytest.raises(AnsibleError, match="Cannot write"):
        connection().fetch_file("/file", str(tmp_path / "none" / "file"))
    assert not guest.files
