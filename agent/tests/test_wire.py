# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wire format: what one end writes the other reads, in pieces of any size, whatever else is on the line."""

import base64
import os
import random
import time
import unittest
from typing import Any, List

from kvmmanager_agent import wire

from .played import fill


def decode(data: bytes, size: int = 4096, frames: bool = True) -> List[wire.Incoming]:
    """What is in it, the same whether it is fed to a decoder or put where that wants it."""
    pieces = [data[begin : begin + size] for begin in range(0, len(data), size)]
    fed, filled = wire.Decoder(), wire.Decoder()
    fed.frames = filled.frames = frames
    found = [incoming for piece in pieces for incoming in fed.feed(piece)]
    again: List[wire.Incoming] = []
    while pieces:
        again.extend(filled.advance(fill(filled.space(), pieces)))
    assert list(map(plain, found)) == list(map(plain, again))
    return found


def plain(incoming: wire.Incoming) -> Any:
    """A message that can be compared."""
    return incoming.message, incoming.payload, incoming.error and incoming.error.message


class Decoding(unittest.TestCase):
    def test_all_forms_in_pieces_of_any_size(self) -> None:
        payload = bytes(range(256)) * 3 + b"\n\xff\n"
        data = (
            wire.request("s/1", "ping", {"expires": 1.5})
            + wire.data("s/1", "x", 0, payload, frames=True)
            + wire.data("s/1", "x", len(payload), payload, eof=True)
            + wire.response("s/1", {"text": "ü\udcff"})
            + wire.failure(None, wire.WireError(wire.BUSY, "no", {"errno": 3}))
        )
        for size in (1, 2, 7, 100, len(data)):
            found = decode(data, size)
            self.assertEqual([item.error for item in found], [None] * 5)
            self.assertEqual([item.payload for item in found], [None, payload, payload, None, None])
            self.assertEqual(found[3].message["result"], {"text": "ü\udcff"})
            self.assertEqual(found[4].message["error"], {"code": wire.BUSY, "message": "no", "data": {"errno": 3}})

    def test_preamble_ends_whatever_was_left(self) -> None:
        ping = wire.request("s/1", "ping", {})
        frame = wire.data("s/1", "x", 0, bytes(65536), frames=True)
        for left in (b"", ping[:5], ping[:-1], frame[:-1], frame[:-65536], b'{"a' * 40000):
            good = [item.message for item in decode(left + wire.PREAMBLE + ping) if item.error is None]
            self.assertEqual(good, [wire.parse(ping)])

    def test_damaged_frame(self) -> None:
        data = wire.data("s/1", "x", 0, b"content", frames=True)
        found = decode(data.replace(b"content", b"contemt") + wire.request("s/1", "ping", {}))
        self.assertEqual(found[0].error.code, wire.BAD_STREAM)
        self.assertEqual(found[1].message["method"], "ping")

    def test_the_rest_of_a_frame_is_read_into_its_place(self) -> None:
        payload = os.urandom(wire.MAX_PAYLOAD)
        data = wire.data("s/1", "x", 0, payload, frames=True)
        decoder = wire.Decoder()
        decoder.frames = True
        pieces = [data[:1000], data[1000:] + wire.request("s/1", "ping", {})]
        self.assertEqual(list(decoder.advance(fill(decoder.space(), pieces))), [])
        rest = decoder.space()[0]
        self.assertEqual(len(rest), len(data) - 1000)
        frame, ping = decoder.advance(fill(decoder.space(), pieces))
        self.assertIs(frame.payload, rest.obj)
        self.assertEqual(frame.payload, payload)
        self.assertEqual(ping.message["method"], "ping")

    def test_base64_however_it_is_written(self) -> None:
        head = b'{"jsonrpc":"2.0","method":"data","params":{"of":"s/1"'
        for params in (
            b',"data":"QUI/"}}',
            b',"data":"QUI\\/"}}',
            b',"data":"QUI\\u002f"}}',
            b', "data": "QUI/" }}',
            b',"data":"QUI/","eof":true}}',
            b',"data":"QUI/","stream":"x"}}',
            b',"data":"AAAA","data":"QUI/"}}',
            b',"stream":"\\",\\"data\\":\\"","data":"QUI/"}}',
            b',"data":"QUI/"},"more":{"x":1,"data":"AAAA"}}',
        ):
            (found,) = decode(head + params + b"\n")
            self.assertEqual((found.error, found.payload), (None, b"AB?"), params)
        for text in (b"", b"QQ==", b"QUI=", b"QUJD" * 1000):
            (found,) = decode(head + b',"data":"%s"}}\n' % text)
            self.assertEqual(found.payload, base64.b64decode(text))
            self.assertEqual(found.message["params"]["of"], "s/1")

    def test_what_is_not_base64(self) -> None:
        head = b'{"jsonrpc":"2.0","method":"data","params":{"of":"s/1"'
        for text in (b"Q", b"QQ", b"QUI", b"QQ=", b"Q===", b"QQ==QQ==", b"Q=UI", b"QUJD!", b"QU-_"):
            (found,) = decode(head + b',"data":"%s"}}\n' % text)
            self.assertIsInstance(found.error, wire.WireError, text)
        for line in (
            head + b',"data":true}}',
            head + b',"x":{"data":"QUJD"}}}',
            head + b',"data":""},"more":{"x":1,"data":"QUJD"',
            head + b',"data":"}}',
            head.replace(b'"of"', b'"data":true,"of"') + b'},"more":{"x":1,"data":"QUJD"}}',
            head.replace(b'"params"', b'"params":{"data":true},"more"') + b',"data":"QUJD"}}',
            head.replace(b'"2.0"', b'"1.0"') + b',"data":"QUJD"}}',
            head + b',"data":"' + base64.b64encode(bytes(wire.MAX_PAYLOAD + 1)) + b'"}}',
        ):
            (found,) = decode(line + b"\n")
            self.assertIsInstance(found.error, wire.WireError, line[:200])

    def test_frames_that_were_not_agreed_on(self) -> None:
        found = decode(wire.data("s/1", "x", 0, b"content\n", frames=True), frames=False)
        self.assertEqual([item.error is None for item in found], [False, False])

    def test_longest_line(self) -> None:
        def line(size: int) -> bytes:
            rest = len(wire.notification("x", {"a": ""}))
            return wire.notification("x", {"a": "y" * (size - rest)})

        self.assertIsNone(decode(line(wire.MAX_LINE))[0].error)
        for size in (wire.MAX_LINE + 1, 3 * wire.MAX_LINE):
            found = decode(line(size) + wire.notification("y", {}))
            self.assertEqual([item.error is None for item in found], [False, True])

    def test_lines_that_are_no_messages(self) -> None:
        lines = (
            b"x",
            b"[]",
            b"{}",
            b'{"jsonrpc":"2.0"}',
            b'{"jsonrpc":"2.0","method":5}',
            b'{"jsonrpc":"2.0","method":"x","params":[]}',
            b'{"jsonrpc":"2.0","method":"x","params":{"a":NaN}}',
            b'{"jsonrpc":"2.0","method":"x","params":{"a":' + b"9" * 100000 + b"}}",
            b'{"jsonrpc":"2.0","method":"x","id":5}',
            b'{"jsonrpc":"2.0","method":"data","params":{"size":-1,"crc":0}}',
            b'{"jsonrpc":"2.0","method":"data","params":{"size":65537,"crc":0}}',
            b'{"jsonrpc":"2.0","method":"data","params":{"data":"!"}}',
            b'{"jsonrpc":"2.0","method":"data","params":{"data":5}}',
            b'{"jsonrpc":"2.0","method":"x\xc0"}',
            b"[" * 100000,
        )
        for line in lines:
            (found,) = decode(line + b"\n")
            self.assertIsInstance(found.error, wire.WireError, line[:80])

    def test_arbitrary_bytes_take_linear_time_and_raise_nothing(self) -> None:
        chance = random.Random(5)
        good = wire.request("s/1", "ping", {"a": [1, {"b": None}]}) + wire.data("s/1", "x", 0, b"abc", frames=True)
        begin = time.monotonic()
        for _time in range(3000):
            line = bytearray(good)
            for _change in range(chance.randrange(1, 6)):
                line[chance.randrange(len(line))] = chance.choice(b'\xff\n{}[]",:0\\u')
            decode(bytes(line) + wire.PREAMBLE[-10:])
        decode(os.urandom(1024 * 1024))
        decode(b"\n" * 1024 * 1024)
        self.assertLess(time.monotonic() - begin, 30)


class Ids(unittest.TestCase):
    def test_split(self) -> None:
        self.assertEqual(wire.split_id(wire.request_id("abc", 12)), ("abc", 12))
        for wrong in (None, 5, "", "abc", "abc/", "abc/-1", "abc/1.0", "abc/\u0661", "abc/" + "1" * 21, "abc/ 1"):
            self.assertEqual(wire.split_id(wrong), ("", 0))


class Flow(unittest.TestCase):
    def test_sender(self) -> None:
        sent = wire.Sent(100)
        self.assertEqual(sent.room, wire.WINDOW)
        sent.offset += wire.WINDOW
        self.assertEqual(sent.room, 0)
        sent.grant(50)
        self.assertEqual(sent.room, 0)
        sent.grant(sent.offset + 5)
        self.assertEqual(sent.room, 5)

    def test_receiver_never_starves_a_sender_that_uses_all_credit(self) -> None:
        sent, received = wire.Sent(7), wire.Received(7)
        for _time in range(200):
            size = min(sent.room, wire.MAX_PAYLOAD)
            self.assertGreater(size, 0)
            received.take(sent.offset, size, False)
            sent.offset += size
            limit = received.consume(size)
            if limit is not None:
                sent.grant(limit)
        received.take(sent.offset, 0, True)
        self.assertIsNone(received.consume(0))

    def test_receiver_refuses_gaps_repetition_and_too_much(self) -> None:
        for offset, size in ((1, 1), (-1, 1), (0, wire.WINDOW + 1), (None, 1), (False, 1), ("0", 1)):
            with self.assertRaises(wire.WireError):
                wire.Received().take(offset, size, False)
        received = wire.Received()
        received.take(0, 5, True)
        with self.assertRaises(wire.WireError):
            received.take(5, 1, False)
