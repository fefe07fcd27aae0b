# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading libvirt's packets off a link."""

from __future__ import annotations

import struct

import pytest

from tests.lab import relay


def packet(procedure: int, kind: int, serial: int, payload: bytes = b"") -> bytes:
    return struct.pack(">IIIIIII", 28 + len(payload), relay.REMOTE_PROGRAM, 1, procedure, kind, serial, 0) + payload


def test_packets_in_any_pieces() -> None:
    stream = packet(66, relay.CALL, 1) + packet(1, relay.CALL, 2, b"payload") + packet(2, relay.CALL, 3)
    buffer = bytearray()
    seen = []
    for index in range(len(stream)):
        buffer += stream[index : index + 1]
        seen += list(relay.packets(buffer))
    assert [(procedure, serial) for _program, procedure, _kind, serial in seen] == [(66, 1), (1, 2), (2, 3)]
    assert not buffer


def test_nonsense_is_not_read_for_ever() -> None:
    assert list(relay.packets(bytearray(100))) == []


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("qemu:///system", ("/run/libvirt/libvirt-sock", "/system")),
        ("qemu+unix:///session?socket=/tmp/s", ("/tmp/s", "/session")),
        ("qemu+tcp://10.77.0.2/system", ("10.77.0.2:16509", "/system")),
        ("qemu+tcp://h1:1234/system", ("h1:1234", "/system")),
    ],
)
def test_targets(uri: str, target: tuple[str, str]) -> None:
    assert relay.parse_target(uri) == target


@pytest.mark.parametrize("uri", ["qemu+tls://h1/system", "qemu+ssh://h1/system", "qemu://h1/system"])
def test_encrypted_targets_are_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="cannot relay"):
        relay.parse_target(uri)


def test_message_is_read_as_written() -> None:
    assert relay.parse_message("12.500000 > 536903814 273 0 7") == relay.Message(
        12.5, True, relay.REMOTE_PROGRAM, 273, relay.CALL, 7
    )
