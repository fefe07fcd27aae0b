# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A session with an agent that keeps to the protocol, and with agents that do what they can to hurt."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import (
    Command,
    GuestError,
    GuestUnreachable,
    SessionEnded,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.output import Output
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.session import Session
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline
from tests.unit.plugins.module_utils._agent.agents import (
    FACTS,
    WHERE,
    Agent,
    DeafAgent,
    Reply,
    answering,
    ended,
    guest_with,
    opened,
    silent,
)

# --- hello


def test_what_an_earlier_session_left_is_passed_over() -> None:
    agent = Agent(answering({"pong": True}))
    agent.waiting += [b'{"half a line', wire.response("old/1", {"pong": False}), b"\xff\xff\n", b"x" * 300_000]
    assert opened(agent).call("ping", {}, 1, "answer") == {"pong": True}


def test_hello_is_repeated_until_the_deadline() -> None:
    agent = DeafAgent(silent)
    with pytest.raises(GuestUnreachable, match="did not answer within 0.3 seconds. Check in the guest that"):
        Session(agent, WHERE, Deadline(0.3))
    assert agent.methods.count("hello") > 1


@pytest.mark.parametrize(
    "flood",
    [b"x" * 65536, b"\n" * 65536, b"{}\n" * 1000, wire.response("another", FACTS), b"\xff" * 65536],
    ids=["a line without end", "empty lines", "no messages", "somebody else's answer", "resets"],
)
def test_a_flood_does_not_hold_hello_up(flood: bytes) -> None:
    agent = DeafAgent(silent)
    agent.endless = flood
    begun = time.monotonic()
    with pytest.raises(GuestUnreachable, match="did not answer within 0.3 seconds"):
        Session(agent, WHERE, Deadline(0.3))
    assert time.monotonic() - begun < 5


def test_an_agent_of_another_version_is_told_from_a_silent_one() -> None:
    class Old(Agent):
        def hello(self, message: dict[str, Any]) -> Iterator[bytes]:
            yield wire.failure(message["id"], wire.WireError(wire.NO_COMMON_VERSION, "only 7"))

    with pytest.raises(GuestUnreachable, match=r"cannot open a session: only 7\. Upgrade the agent"):
        opened(Old(silent))


@pytest.mark.parametrize("clock", ["1e999", "-1e999", '"now"', "null", "true", "[1]", "99999999999999999999"])
def test_a_clock_that_is_none_hurts_nobody(clock: str) -> None:
    class Mad(Agent):
        def hello(self, message: dict[str, Any]) -> Iterator[bytes]:
            facts = f'{{"session":"s1","clock":{clock}}}'
            yield f'{{"jsonrpc":"2.0","id":"{message["id"]}","result":{facts}}}\n'.encode()

    assert opened(Mad(answering({}))).call("ping", {}, 1, "answer") == {}


@pytest.mark.parametrize("name", ["session", "methods", "limits", "frames", "agent"])
@pytest.mark.parametrize("value", [None, 3, "x" * 100_000, {"seconds": "soon"}, {"seconds": -1}, [[]] * 5000])
def test_facts_of_any_kind_are_borne(name: str, value: Any) -> None:
    talk = opened(Agent(answering({}), **{name: value}))
    assert talk.call("ping", {}, 1, "answer") == {}
    assert len(talk.methods) <= 1000


# --- answers


def test_only_the_answer_to_this_request_counts() -> None:
    def reply(message: dict[str, Any], _payload: bytes | None) -> Iterator[bytes]:
        for other in ("s1/0", "s1/999", "s2/1", "", message["id"] + "0"):
            yield wire.response(other, {"wrong": True})
        yield wire.response(None, {"wrong": True})
        yield wire.response(message["id"], {"right": True})

    assert opened(Agent(reply)).call("ping", {}, 1, "answer") == {"right": True}


@pytest.mark.parametrize("result", [None, [], "text", 3, True])
def test_an_answer_that_is_no_object_is_refused(result: Any) -> None:
    with pytest.raises(GuestError, match="cannot answer: its answer is not an object"):
        opened(Agent(answering(result))).call("ping", {}, 1, "answer")


@pytest.mark.parametrize("error", [None, [], "text", {}, {"code": "x", "message": 3}, {"code": True, "data": 7}])
def test_errors_of_any_kind_become_a_sentence(error: Any) -> None:
    def reply(message: dict[str, Any], _payload: bytes | None) -> Iterator[bytes]:
        yield json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error}).encode() + b"\n"

    with pytest.raises(GuestError, match="The guest of 'web1' cannot answer: it did not say why") as caught:
        opened(Agent(reply)).call("ping", {}, 1, "answer")
    assert caught.value.data == {}


def test_a_guest_cannot_write_control_characters_or_pages_into_an_error() -> None:
    words = "\x1b[2J{{ lookup('pipe', 'id') }}\n\r\x00\udc80" + "a" * 100_000

    def reply(message: dict[str, Any], _payload: bytes | None) -> Iterator[bytes]:
        yield wire.failure(message["id"], wire.WireError(wire.DENIED, words))

    with pytest.raises(GuestError) as caught:
        opened(Agent(reply)).call("ping", {}, 1, "answer")
    assert len(caught.value.message) < 600
    assert caught.value.message.isprintable()
    assert caught.value.code == wire.DENIED


def test_silence_ends_at_the_timeout() -> None:
    with pytest.raises(GuestError, match=r"The guest of 'web1' did not answer within 0.01 seconds\.") as caught:
        opened(Agent(silent)).call("ping", {}, 0.01, "answer")
    assert caught.value.code == wire.TIMED_OUT


@pytest.mark.usefixtures("_mortal")
def test_an_agent_that_has_died_is_noticed_before_a_long_timeout() -> None:
    with pytest.raises(GuestUnreachable, match="has not said anything for"):
        opened(Agent(silent)).call("ping", {}, 3600, "answer")


@pytest.mark.usefixtures("_mortal")
def test_an_agent_that_has_started_again_is_noticed_and_the_request_not_repeated() -> None:
    def reply(message: dict[str, Any], _payload: bytes | None) -> Iterator[bytes]:
        if message["method"] == "ping":
            yield wire.failure(message["id"], wire.WireError(wire.NO_SESSION, "no such session"))

    agent = Agent(reply)
    with pytest.raises(GuestUnreachable, match="was started again, or another program") as caught:
        guest_with(agent).run(Command(["sleep", "1000"]), 3600)
    assert not isinstance(caught.value, SessionEnded)
    assert agent.methods.count("exec") == 1


def test_what_nobody_asked_for_is_borne_for_a_while_only() -> None:
    agent = Agent(silent)
    talk = opened(agent)
    agent.endless = b"{}\n" * 1000
    with pytest.raises(GuestUnreachable, match="sends what nobody asked for"):
        talk.call("ping", {}, 3600, "answer")


def test_a_line_without_end_ends_at_the_timeout_and_takes_no_memory() -> None:
    agent = Agent(silent)
    talk = opened(agent)
    agent.endless = b"x" * 65536
    with pytest.raises(GuestError, match="did not answer within 0.2 seconds"):
        talk.call("ping", {}, 0.2, "answer")
    assert len(talk._decoder._line) <= wire.MAX_LINE


def test_a_request_that_does_not_fit_into_a_line_is_not_sent() -> None:
    agent = Agent(answering({}))
    with pytest.raises(GuestError, match="more than the 131072 bytes of a line") as caught:
        opened(agent).call("exec", {"argv": ["x" * 200_000]}, 1, "run it")
    assert caught.value.code == wire.TOO_LARGE
    assert agent.methods == ["hello"]


# --- commands


@pytest.mark.parametrize("frames", [True, False])
def test_a_command_gets_its_input_and_gives_its_output(frames: bool) -> None:
    given = bytearray()
    requests: list[str] = []

    def reply(message: dict[str, Any], payload: bytes | None) -> Iterator[bytes]:
        if message["method"] == "exec":
            requests.append(message["id"])
        elif message["method"] == "data":
            given.extend(payload or b"")
            (identity,) = requests
            yield wire.notification("credit", {"of": identity, "stream": "stdin", "limit": len(given) + wire.WINDOW})
            if message["params"].get("eof"):
                yield wire.data(identity, "stdout", 0, b"out", False, frames)
                yield wire.data(identity, "stderr", 0, b"err", True, frames)
                yield wire.data(identity, "stdout", 3, b"put", True, frames)
                yield wire.response(identity, ended(exit=3))

    content = bytes(range(256)) * 10_000
    result = guest_with(Agent(reply, frames=frames)).run(Command(["cat"]), 5, stdin=content)
    assert bytes(given) == content
    assert (result.rc, result.stdout, result.stderr) == (3, b"output", b"err")


def flooding(stream: str, step: int) -> Reply:
    """Output that never ends; each piece begins ``step`` bytes after the one before it."""

    def reply(message: dict[str, Any], _payload: bytes | None) -> Iterator[bytes]:
        if message["method"] == "exec":
            for number in range(100):
                yield wire.data(message["id"], stream, number * step, b"x" * 65536, False, True)

    return reply


@pytest.mark.parametrize("step", [65535, 65537, 0], ids=["overlaps", "gaps", "repeated"])
def test_output_that_breaks_the_rules_ends_the_command(step: int) -> None:
    agent = Agent(flooding("stdout", step))
    with pytest.raises(GuestError, match="a piece of the stream is missing, repeated, or beyond its credit"):
        guest_with(agent).run(Command(["yes"]), 5)
    assert "cancel" in agent.methods


def test_a_stream_that_nobody_asked_for_goes_nowhere() -> None:
    with pytest.raises(GuestError, match="did not run yes within 0.1 seconds"):
        guest_with(Agent(flooding("secrets", 65536))).run(Command(["yes"]), 0.1)


def test_endless_output_is_kept_up_to_a_size() -> None:
    kept = Output("stdout", None, most=100_000)
    for _piece in range(1000):
        kept.take(b"x" * 65536)
    assert (len(kept.content), kept.truncated) == (100_000, True)


def test_endless_credit_for_endless_input_ends_at_the_timeout() -> None:
    def reply(message: dict[str, Any], _payload: bytes | None) -> Iterator[bytes]:
        if message["method"] == "exec":
            yield wire.notification("credit", {"of": message["id"], "stream": "stdin", "limit": 10**19})

    class Endless(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return b"y" * (size or 0)

    with pytest.raises(GuestError, match="did not run cat within 0.2 seconds"):
        guest_with(Agent(reply)).run(Command(["cat"]), 0.2, stdin=Endless())


@pytest.mark.parametrize(
    "answer", [{}, {"exit": "0"}, {"exit": -1}, {"exit": 10**19}, {"signal": 9}, {"signal": "K" * 50}]
)
def test_a_command_that_ends_in_no_known_way_is_an_error(answer: dict[str, Any]) -> None:
    with pytest.raises(GuestError, match="answered exec with something else than"):
        guest_with(Agent(answering(answer))).run(Command(["true"]), 5)


def test_a_request_of_a_session_that_has_ended_is_made_once_more() -> None:
    def stale(message: dict[str, Any], _payload: bytes | None) -> Iterator[bytes]:
        yield wire.failure(message["id"], wire.WireError(wire.NO_SESSION, "no such session"))

    assert guest_with(Agent(stale), Agent(answering({"pong": 1}))).call("ping") == {"pong": 1}
    with pytest.raises(GuestUnreachable, match="was ended by another program"):
        guest_with(Agent(stale), Agent(stale)).call("ping")


@pytest.mark.parametrize("limits", [{}, {"warm_python": 0}, {"warm_python": 300}, None])
def test_a_python_that_is_kept_is_asked_for_where_the_agent_knows_of_such(limits: Any) -> None:
    asked: list[dict[str, Any]] = []

    def reply(message: dict[str, Any], _payload: bytes | None) -> Iterator[bytes]:
        if message["method"] == "exec":
            asked.append(message["params"])
            yield wire.response(message["id"], ended())

    guest = guest_with(Agent(reply, limits=limits))
    guest.run(Command(["/usr/bin/python3"], warm=True), 5, b"pass")
    guest.run(Command(["/usr/bin/python3"]), 5, b"pass")
    assert [params.get("warm") for params in asked] == [True if limits and limits.get("warm_python") else None, None]
