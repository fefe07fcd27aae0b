# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wire format as the controller imports it, against whatever a hostile guest may send.

What both ends share is tested on every Python by agent/tests/test_wire.py.
"""

from __future__ import annotations

import pathlib

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire

AGENT = pathlib.Path(__file__).parents[5] / "agent/kvmmanager_agent/wire.py"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def decoded(pieces: list[bytes], frames: bool = True) -> list[wire.Incoming]:
    decoder = wire.Decoder()
    decoder.frames = frames
    return [incoming for piece in pieces for incoming in decoder.feed(piece)]


def test_both_ends_have_the_same_file() -> None:
    assert AGENT.read_bytes() == pathlib.Path(wire.__file__).read_bytes()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=10), st.booleans())
def test_any_bytes_give_messages_or_errors(pieces: list[bytes], frames: bool) -> None:
    for incoming in decoded(pieces, frames):
        assert isinstance(incoming.message, dict)
        assert incoming.message or incoming.error


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_what_is_written_is_read(params: dict[str, object]) -> None:
    (incoming,) = decoded([wire.request("s/1", "call", params)])
    assert incoming.message == {"jsonrpc": "2.0", "id": "s/1", "method": "call", "params": params}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000), st.integers(1, 500), st.booleans(), st.booleans())
def test_streams_survive_any_cut(payload: bytes, size: int, frames: bool, eof: bool) -> None:
    line = wire.data("s/1", "content", 5, payload, eof, frames) + wire.response("s/1", {})
    first, second = decoded([line[begin : begin + size] for begin in range(0, len(line), size)])
    assert first.payload == payload
    assert first.message["params"].get("eof", False) == eof
    assert second.message["result"] == {}


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=70000))
def test_the_preamble_resets_whatever_came_before(before: bytes) -> None:
    ping = wire.request("s/1", "ping", {})
    assert decoded([before, wire.PREAMBLE, ping])[-1].message == wire.parse(ping)


def test_a_peer_that_never_ends_its_line_costs_one_line() -> None:
    decoder = wire.Decoder()
    errors = [incoming for _time in range(100) for incoming in decoder.feed(b"x" * 65536)]
    assert len(errors) == 1
    assert len(decoder._line) <= wire.MAX_LINE
