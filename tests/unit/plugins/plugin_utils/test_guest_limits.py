# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A guest that lists, sends or dawdles without end does not hold a task up; and what the controller refuses is said."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.action import guest_copy, guest_fetch, guest_power
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import (
    FileFacts,
    Guest,
    GuestError,
    GuestUnreachable,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, connect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils import _guest_fetch, _guest_local, _guest_power
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_action import Context, GuestAction
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_diff import guest_text
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_options import checked_options
from ansible_collections.kvmmanager.libvirt.plugins.plugin_utils._guest_owners import owners_of

FOLDER = FileFacts("directory", 0, 0o755, 0, 0, 0.0)


def file_of(size: int) -> FileFacts:
    return FileFacts("file", size, 0o644, 0, 0, 0.0)


class FakeGuest(Guest):
    """A guest in which each directory holds ``entries``, and each file ``content``."""

    agent, methods, where = "kvmmanager", frozenset[str](), "the guest of 'web1'"
    messages = (0, 0)

    def __init__(
        self, entries: Callable[[], Iterator[tuple[str, FileFacts]]] = lambda: iter(()), size: int = 0
    ) -> None:
        self.entries, self.size = entries, size
        self.asked: list[int | None] = []

    def stat(self, path: str, sha256: bool = False, timeout: float | None = None) -> FileFacts | None:
        return FOLDER

    def list(self, path: str, timeout: float | None = None) -> Iterator[tuple[str, FileFacts]]:
        return self.entries()

    def get(self, path: str, sink: BinaryIO, *, timeout: float, progress: Any = None, most: int | None = None) -> Any:
        self.asked.append(most)
        if most is not None and self.size > most:
            raise GuestError(wire.TOO_LARGE, "It is too large.")
        sink.write(b"x" * self.size)
        return file_of(self.size)

    def _never(self, *_arguments: Any, **_options: Any) -> Any:
        raise AssertionError

    call = run = put = mkdir = remove = info = shutdown = reboot = _never

    def close(self) -> None:
        pass


def task(action: type[GuestAction], guest: Guest, hypervisor: Any = None, **given: Any) -> Any:
    params = checked_options(given, action.arguments, action.constraints, {})
    context = Context(params, hypervisor, "test", "web1")
    context._guest = guest
    return action.task(context)


def numbered(kind: FileFacts) -> Callable[[], Iterator[tuple[str, FileFacts]]]:
    return lambda: ((f"{number:09}", kind) for number in range(10**9))


@pytest.mark.parametrize("kind", [FileFacts("fifo", 0, 0, 0, 0, 0.0), file_of(0)], ids=["fifos", "files"])
def test_whatever_a_directory_holds_counts(
    kind: FileFacts, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(_guest_fetch, "_MOST_FILES", 50)
    fetch = task(guest_fetch.ActionModule, FakeGuest(numbered(kind)), src="/d", dest=str(tmp_path))
    with pytest.raises(Failure, match="holds more than 50 files and directories"):
        fetch.read()


def test_directories_in_directories_count(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(_guest_fetch, "_MOST_FILES", 50)
    tree = FakeGuest(lambda: iter([("a", FOLDER), ("b", FOLDER)]))
    with pytest.raises(Failure, match="holds more than 50 files and directories"):
        task(guest_fetch.ActionModule, tree, src="/d", dest=str(tmp_path)).read()


def test_listing_ends_with_the_time_of_the_task(tmp_path: pathlib.Path) -> None:
    def slowly() -> Iterator[tuple[str, FileFacts]]:
        time.sleep(0.05)
        yield "a", FOLDER

    fetch = task(guest_fetch.ActionModule, FakeGuest(slowly), src="/d", dest=str(tmp_path), timeout=0.2)
    with pytest.raises(Failure, match=r"no time left for /d/a.* \(timeout\)"):
        fetch.read()


def test_files_may_grow_by_so_much_in_all(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(_guest_fetch, "_GROWTH", 100)
    guest = FakeGuest(lambda: iter([("a", file_of(10)), ("b", file_of(10))]), size=80)
    fetch = task(guest_fetch.ActionModule, guest, src="/d", dest=str(tmp_path))
    plan = fetch.plan(fetch.read())
    with pytest.raises(Failure, match="It is too large. Done before that: fetch /d/a"):
        plan.apply(None)
    assert guest.asked == [110, 40]


def test_what_is_read_into_memory_is_small() -> None:
    guest = FakeGuest(size=2**30)
    assert "dst_larger" in guest_text(guest, "/f", file_of(1), Deadline(1))
    with pytest.raises(Failure, match="Give owner as a number"):
        owners_of(guest, "root", None, Deadline(1))


def test_of_a_long_listing_only_what_is_copied_is_kept(tmp_path: pathlib.Path) -> None:
    (tmp_path / "tree").mkdir()
    for name in ("a", "b"):
        (tmp_path / "tree" / name).mkdir()
    guest = FakeGuest(lambda: iter([("a", FOLDER), ("b", FOLDER), *((f"c{n}", FOLDER) for n in range(1000))]))
    copy = task(guest_copy.ActionModule, guest, src=f"{tmp_path}/tree/", dest="/d")
    copy.read()
    assert copy._known == {"/d": {"a": FOLDER, "b": FOLDER}}


def test_what_the_controller_refuses_is_a_sentence(tmp_path: pathlib.Path) -> None:
    unreadable = "/proc/self/mem"  # a regular file that even root cannot read from its beginning
    for act in (
        lambda: _guest_local.checksum_of(unreadable),
        lambda: _guest_local.source_of_file(unreadable, "", str).sha256(),
        lambda: _guest_local.source_of_file(str(tmp_path / "none"), "", str),
        lambda: _guest_local.Source("", str(tmp_path / "none"), b"", None, 0).open(),
        lambda: _guest_local.tree(str(tmp_path / "none"), str),
    ):
        with pytest.raises(Failure, match="Cannot read .* on the controller: "):
            act()


@pytest.mark.parametrize(
    "failure", [GuestError(wire.BUSY, "busy"), GuestError(wire.TIMED_OUT, "slow"), GuestUnreachable("gone")]
)
def test_a_guest_that_comes_back_may_say_anything(failure: Failure, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: list[str] = []

    def opening(_hypervisor: Any, _domain: str, agent: str, *_more: Any) -> Any:
        kinds.append(agent)
        raise failure

    monkeypatch.setattr(_guest_power, "open_guest", opening)
    with connect(ConnectionOptions("test:///default")) as hypervisor:
        power = task(guest_power.ActionModule, FakeGuest(), hypervisor, state="reboot")
        assert not power._is_back("kvmmanager", "the boot before", True)
    assert kinds == ["kvmmanager"]
