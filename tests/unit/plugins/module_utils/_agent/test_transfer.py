# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files to and from agents that break down, cheat or lie."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import transfer, wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import GuestError
from tests.unit.plugins.module_utils._agent.agents import Agent, answering, guest_with, silent


def facts(content: bytes, **more: Any) -> dict[str, Any]:
    sha256 = hashlib.sha256(content).hexdigest()
    return {
        "type": "file", "size": len(content), "mode": 0o644, "uid": 0, "gid": 0, "mtime": 1.5, "sha256": sha256, **more
    }  # fmt: skip


class Giving:
    """``file_get`` of ``content``, of which at most ``most`` bytes come before the agent falls silent."""

    def __init__(self, content: bytes, told: dict[str, Any], most: int = 10**9) -> None:
        self.content, self.told, self.most = content, told, most
        self.begins: list[int] = []

    def __call__(self, message: dict[str, Any], _payload: bytes | None) -> Iterator[bytes]:
        if message["method"] == "file_stat":
            yield wire.response(message["id"], self.told)
        elif message["method"] == "file_get":
            begin = message["params"].get("offset", 0)
            self.begins.append(begin)
            whole = self.content[: begin + self.most]
            for offset in range(begin, len(whole), 65536):
                yield wire.data(message["id"], "content", offset, whole[offset : offset + 65536], False, True)
            if len(whole) == len(self.content):
                yield wire.response(message["id"], self.told)


CONTENT = bytes(range(251)) * 3000


def test_a_file_comes_whole() -> None:
    sink = io.BytesIO()
    heard: list[int] = []
    found = guest_with(Agent(Giving(CONTENT, facts(CONTENT)))).get("/f", sink, timeout=5, progress=heard.append)
    assert sink.getvalue() == CONTENT
    assert (found.mode, heard[-1]) == (0o644, len(CONTENT))


def test_a_file_with_another_checksum_is_read_once_more_and_refused() -> None:
    reply = Giving(CONTENT, facts(b"other", size=len(CONTENT)))
    with pytest.raises(GuestError, match="changed in the guest of 'web1' while it was read, twice") as caught:
        guest_with(Agent(reply)).get("/f", io.BytesIO(), timeout=5)
    assert caught.value.code == wire.BAD_CHECKSUM
    assert reply.begins == [0, 0]


@pytest.mark.usefixtures("_mortal")
def test_a_download_that_breaks_goes_on_where_it_was() -> None:
    half, rest = Giving(CONTENT, facts(CONTENT), most=400_000), Giving(CONTENT, facts(CONTENT))
    sink = io.BytesIO()
    guest_with(Agent(half), Agent(rest)).get("/f", sink, timeout=5)
    assert sink.getvalue() == CONTENT
    assert (half.begins, rest.begins) == ([0], [400_000])


def test_a_file_without_end_does_not_fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_GROWTH", 100_000)
    with pytest.raises(GuestError, match="sends far more than the file had"):
        guest_with(Agent(Giving(CONTENT, facts(b"")))).get("/f", io.BytesIO(), timeout=5)


@pytest.mark.parametrize(("size", "most"), [(len(CONTENT), 1000), (0, 1000)], ids=["it says so", "it lies"])
def test_a_file_may_be_no_larger_than_the_caller_says(size: int, most: int) -> None:
    sink = io.BytesIO()
    with pytest.raises(GuestError, match="larger than the 1000 bytes that it may have") as caught:
        guest_with(Agent(Giving(CONTENT, facts(b"", size=size)))).get("/f", sink, timeout=5, most=most)
    assert caught.value.code == wire.TOO_LARGE
    assert len(sink.getvalue()) <= most
    guest_with(Agent(Giving(CONTENT, facts(CONTENT)))).get("/f", sink, timeout=5, most=len(CONTENT))


def test_a_directory_without_end_is_left_in_time() -> None:
    def endless(message: dict[str, Any], _payload: bytes | None) -> Iterator[bytes]:
        name = f"{int(message['params'].get('after', 0)) + 1:09}"
        yield wire.response(message["id"], {"entries": [facts(b"", name=name)], "more": True})

    with pytest.raises(GuestError, match=r"did not list /d within 0\.2 seconds") as caught:
        list(guest_with(Agent(endless)).list("/d", timeout=0.2))
    assert caught.value.code == wire.TIMED_OUT


def test_looking_and_making_keep_to_their_time() -> None:
    for act in (lambda guest: guest.stat("/f", timeout=0.1), lambda guest: guest.mkdir("/d", timeout=0.1)):
        with pytest.raises(GuestError, match=r"within 0\.1 seconds"):
            act(guest_with(Agent(silent)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "door"}, {"size": -1}, {"size": True}, {"mode": 0o10000}, {"uid": None}, {"sha256": "z" * 64},
        {"sha256": "A" * 64}, {"mtime": "now"}, {"target": 3}, {"target": "x" * 9000},
    ],
)  # fmt: skip
def test_facts_of_a_file_are_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(GuestError, match="answered file_stat with something else than"):
        guest_with(Agent(answering(facts(b"", **wrong)))).stat("/f")


@pytest.mark.parametrize("names", [["b", "a"], ["a", "a"], [".."], ["a/b"], [""], ["a\0"]])
def test_names_in_a_directory_are_checked(names: list[str]) -> None:
    entries = [facts(b"", name=name) for name in names]
    with pytest.raises(GuestError, match="answered file_list with something else than"):
        list(guest_with(Agent(answering({"entries": entries, "more": True}))).list("/d"))


class Taking:
    """``file_put`` of an agent that has ``before`` bytes already, and falls silent ``after`` that many more."""

    def __init__(self, before: int, after: int = 10**9) -> None:
        self.before, self.after = before, after
        self.taken = bytearray()
        self.identity = ""

    def __call__(self, message: dict[str, Any], payload: bytes | None) -> Iterator[bytes]:
        if message["method"] == "file_put":
            self.identity = message["id"]
            yield self.credit({"from": self.before})
        elif message["method"] == "data" and len(self.taken) < self.after:
            self.taken.extend(payload or b"")
            yield self.credit({})
            if message["params"].get("eof"):
                yield wire.response(self.identity, {"received": len(self.taken)})

    def credit(self, more: dict[str, Any]) -> bytes:
        limit = self.before + len(self.taken) + wire.WINDOW
        return wire.notification("credit", {"of": self.identity, "stream": "content", "limit": limit, **more})


@pytest.mark.usefixtures("_mortal")
def test_an_upload_that_breaks_goes_on_where_the_agent_is() -> None:
    content = CONTENT * 3
    first, second = Taking(0, after=700_000), Taking(655_360)
    guest_with(Agent(first), Agent(second)).put(io.BytesIO(content), "/f", timeout=10)
    assert content.startswith(bytes(first.taken))
    assert bytes(second.taken) == content[655_360:]


@pytest.mark.parametrize("begin", [len(CONTENT) * 2 + 1, 2**62, 10**19])
def test_an_agent_that_has_more_than_the_file_is_not_believed(begin: int) -> None:
    with pytest.raises(GuestError, match="wants more of the file than there is"):
        guest_with(Agent(Taking(begin))).put(io.BytesIO(CONTENT * 2), "/f", timeout=5)
