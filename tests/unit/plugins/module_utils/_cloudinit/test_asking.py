# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking an agent about cloud-init, where the domain has no port that brings the answer by itself."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import (
    Command,
    Ended,
    FileFacts,
    GuestError,
    GuestUnreachable,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import asking, status
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.waiting import wait_for_status
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

DENIED = GuestError(wire.DENIED, "The policy says no.")
LINK = FileFacts("link", 0, 0o777, 0, 0, 0.0, "../../var/lib/cloud/data/result.json")


class Guest:
    """A guest whose program says these words, one after another, and whose file has this content."""

    where = "the guest of 'web1'"

    def __init__(self, *said: Any, file: Any = DENIED) -> None:
        self.said = list(said)
        self.file = file
        self.read: list[str] = []

    def run(self, command: Command, _timeout: float) -> Ended:
        assert command.argv == ["cloud-init", "status", "--long"]
        words = self.said.pop(0)
        if isinstance(words, Exception):
            raise words
        return Ended(2, None, f"status: {words}\n".encode())

    def stat(self, _path: str, timeout: float) -> FileFacts | None:
        if isinstance(self.file, Exception):
            raise self.file
        return None if self.file is None else LINK

    def get(self, path: str, sink: BinaryIO, *, timeout: float, most: int) -> None:
        assert most <= status.MAXIMUM
        self.read.append(path)
        sink.write(self.file)


def meet(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this be the guest, which may be asked often."""

    @contextlib.contextmanager
    def opening(_hypervisor: Any, _uuid: str, wait: float, timeout: float) -> Iterator[Guest]:
        assert wait <= 5
        yield guest

    monkeypatch.setattr(asking, "open_guest", opening)
    monkeypatch.setattr(asking, "_FIRST_PAUSE", 0.01)


def ask(guest: Guest, monkeypatch: pytest.MonkeyPatch, seconds: float = 5) -> tuple[status.Status | None, str]:
    meet(guest, monkeypatch)
    return asking.ask(cast(Hypervisor, None), "uuid", Deadline(seconds))


def test_it_is_asked_until_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    guest = Guest("not run", GuestUnreachable("It starts again."), "running", "done")
    assert ask(guest, monkeypatch) == (status.Status("done", "status: done"), "")


def test_what_is_not_known_in_time_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(Guest(*["running"] * 100), monkeypatch, 0.1) == (None, "Its agent says of cloud-init: running.")
    assert ask(Guest(*[GuestUnreachable("Gone.")] * 100), monkeypatch, 0.1) == (None, "Gone.")


def test_a_guest_without_cloud_init(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _why = ask(Guest(GuestError(wire.NOT_FOUND, "no such program")), monkeypatch)
    assert found is not None
    assert (found.word, found.report) == ("unknown", "There is no cloud-init in the guest.")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (json.dumps({"v1": {"datasource": "NoCloud", "errors": []}}), "done"),
        (json.dumps({"v1": {"datasource": "NoCloud", "errors": ["it failed\nstatus: done"]}}), "error"),
        ("{", "unknown"),
        ("[]", "unknown"),
        ('{"v1": 3}', "unknown"),
    ],
)
def test_an_agent_that_may_only_read(content: str, word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    guest = Guest(DENIED, file=content.encode())
    found, _why = ask(guest, monkeypatch)
    assert found is not None
    assert found.word == word
    assert guest.read == ["/var/lib/cloud/data/result.json"]


def test_an_agent_that_may_only_look(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Failure, match="may neither run cloud-init nor read"):
        ask(Guest(DENIED), monkeypatch)


def test_the_agent_is_asked_where_the_port_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Domain:
        """Runs, and has a port for an agent alone."""

        def XMLDesc(self, _flags: int) -> str:
            return f"<domain id='7'><devices><channel><target name='{wire.PORT_NAME}'/></channel></devices></domain>"

        def UUIDString(self) -> str:
            return "uuid"

    class Host:
        """Calls what it is told."""

        def call(self, _doing: str, function: Any, *arguments: Any) -> Any:
            return function(*arguments)

    meet(Guest(*["running"] * 100), monkeypatch)
    with pytest.raises(Failure, match=r"did not say within 0.1 seconds .*Its agent says of cloud-init: running\."):
        wait_for_status(cast(Hypervisor, Host()), Domain(), "web1", status.PORT, Deadline(0.1))
