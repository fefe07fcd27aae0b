# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wire format of the guest agent, for both ends. agent/PROTOCOL.md describes it.

The agent's package links to this very file, so it keeps to Python 3.6 and the standard library: it does not import
annotations from the future, which 3.6 lacks, and takes its generics from ``typing``.
"""

import base64
import binascii
import json
import zlib
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

VERSIONS = (1,)
PORT_NAME = "org.kvmmanager.agent.0"

MAX_LINE = 128 * 1024  # bytes of one line with its LF
MAX_PAYLOAD = 64 * 1024  # bytes of bulk data in one message, in either form
MAX_BASE64 = (MAX_PAYLOAD + 2) // 3 * 4  # characters of the same
WINDOW = 512 * 1024  # bytes of one stream that may be under way without new credit; eight streams fit into 25 MiB

# What opens a session: it completes a frame that an earlier client left half sent, and ends a half line. 0xFF is
# never part of UTF-8, so the receiver knows where the old ends.
RESET = b"\xff"
PREAMBLE = RESET * (MAX_PAYLOAD + 1) + b"\n"

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
NO_SESSION = -32000
NO_COMMON_VERSION = -32001
EXPIRED = -32002
TIMED_OUT = -32003
CANCELLED = -32004
DENIED = -32005
BUSY = -32006
BAD_STREAM = -32007
NOT_FOUND = -32008
EXISTS = -32009
WRONG_TYPE = -32010
TOO_LARGE = -32011
SYSTEM_ERROR = -32012
BAD_CHECKSUM = -32013
UNSUPPORTED = -32014

_MAX_DIGITS = 20  # enough for 64 bits; Python takes quadratic time for long numbers
_BLOCK = 64 * 1024  # bytes to read at once where no frame follows a line
_LINE = 4096  # bytes to read of a line that a frame may follow, which would have to be copied: a buffer of the port
_HEAD = 4096  # bytes of a line in which its base64 begins, if it is to be decoded fast
_DATA, _TAIL = b',"data":"', b"}}\n"
_END = b'"}}'


Payload = Union[bytes, bytearray]


class WireError(Exception):
    """An error as it travels: ``code`` is stable, ``message`` is for people, ``data`` is a dict of JSON or None."""

    def __init__(self, code: int, message: str, data: Optional[Dict[str, Any]] = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class Incoming(NamedTuple):
    """One message that came in: the object, for ``data`` its payload as well; or only what was wrong with it."""

    message: Dict[str, Any]
    payload: Optional[Payload] = None
    error: Optional[WireError] = None


def request_id(session: str, number: int) -> str:
    """The id of a request: it names the session, so that nobody takes it for another one's."""
    return f"{session}/{number}"


def split_id(value: Any) -> Tuple[str, int]:
    """Session and number of a request id; an empty session when ``value`` is no such id."""
    session, _slash, number = value.rpartition("/") if isinstance(value, str) else ("", "", "")
    if 0 < len(number) <= _MAX_DIGITS and all(character in "0123456789" for character in number):
        return session, int(number)
    return "", 0


def request(identity: str, method: str, params: Dict[str, Any]) -> bytes:
    """The line of a request."""
    return _line({"jsonrpc": "2.0", "id": identity, "method": method, "params": params})


def notification(method: str, params: Dict[str, Any]) -> bytes:
    """The line of a message that gets no answer."""
    return _line({"jsonrpc": "2.0", "method": method, "params": params})


def response(identity: Optional[str], result: Dict[str, Any]) -> bytes:
    """The line of an answer."""
    return _line({"jsonrpc": "2.0", "id": identity, "result": result})


def failure(identity: Optional[str], error: WireError) -> bytes:
    """The line of an answer that is an error."""
    body: Dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    return _line({"jsonrpc": "2.0", "id": identity, "error": body})


def data(of: str, stream: str, offset: int, payload: Payload, eof: bool = False, frames: bool = False) -> bytes:
    """A piece of a stream, at most `MAX_PAYLOAD` bytes, as a raw frame after its line or as base64 inside it."""
    return b"".join(data_parts(of, stream, offset, payload, eof, frames))


def data_parts(
    of: str, stream: str, offset: int, payload: Payload, eof: bool = False, frames: bool = False
) -> Tuple[Payload, ...]:
    """The same in parts that follow each other, for who need not put them together."""
    params: Dict[str, Any] = {"of": of, "stream": stream, "offset": offset}
    if eof:
        params["eof"] = True
    if frames:
        params["size"] = len(payload)
        params["crc"] = zlib.crc32(payload)
        return notification("data", params), payload
    # What base64 is made of needs no quoting, for which an encoder would look at each character.
    head = notification("data", params)[: -len(_TAIL)]
    return head + _DATA, binascii.b2a_base64(payload, newline=False), b'"' + _TAIL


def _line(message: Dict[str, Any]) -> bytes:
    # ASCII alone: file names that are no UTF-8 travel as lone surrogates, and 0xFF is never sent by accident.
    return _ENCODER.encode(message).encode("ascii") + b"\n"


class Decoder:
    """Turns what arrives, in pieces of any size, into messages. Holds at most a line, or a frame and its line.

    Who can read into memory asks for `space` and calls `advance`: most of a frame is then never copied. Others `feed`.

    :ivar frames: whether both ends announced raw frames; without it a frame's line is an error.
    """

    def __init__(self) -> None:
        self.frames = False
        self._line = bytearray()  # what has come of a line
        self._discarding = False  # inside a line that is too long
        self._announced: Optional[Dict[str, Any]] = None
        self._frame = bytearray()  # what was announced, as long as it will be
        self._filled = 0  # how much of that has come
        self._spare = bytearray(_BLOCK)

    def space(self) -> List[memoryview]:
        """Where the next bytes go, one place after the other: the rest of a frame, and some for what follows it."""
        spare = memoryview(self._spare)[: _LINE if self.frames else _BLOCK]
        return [spare] if self._announced is None else [memoryview(self._frame)[self._filled :], spare]

    def advance(self, size: int) -> Iterator[Incoming]:
        """The messages that are complete with the next ``size`` bytes, which are where `space` wanted them."""
        inside = min(size, len(self._frame) - self._filled)
        self._filled += inside
        return self._take(self._spare, size - inside)

    def feed(self, received: bytes) -> Iterator[Incoming]:
        """The messages that ``received`` completes."""
        return self._take(received, len(received))

    def _take(self, source: Payload, size: int) -> Iterator[Incoming]:
        position = 0
        while position < size or self._announced is not None:
            if self._announced is not None:
                position += self._fill(source, position, size)
                if self._filled < len(self._frame):
                    return
                yield self._end_frame(self._announced)
                continue
            end = source.find(b"\n", position, size)
            piece = source[position : end if end >= 0 else size]
            incoming = self._end_line(piece) if end >= 0 else self._keep(piece)
            if incoming is not None:
                yield incoming
            position += len(piece) + 1

    def _fill(self, source: Payload, begin: int, end: int) -> int:
        """Copy into the frame what has come of it; how much that is."""
        size = min(end - begin, len(self._frame) - self._filled)
        if size:
            self._frame[self._filled : self._filled + size] = memoryview(source)[begin : begin + size]
            self._filled += size
        return size

    def _end_frame(self, message: Dict[str, Any]) -> Incoming:
        payload, self._frame, self._filled, self._announced = self._frame, bytearray(), 0, None
        if zlib.crc32(payload) != message["params"]["crc"]:
            return _bad(BAD_STREAM, "a frame is damaged")
        return Incoming(message, payload)

    def _keep(self, piece: Payload) -> Optional[Incoming]:
        """Remember the beginning of a line, unless it is too long already."""
        if self._discarding:
            return None
        self._line += piece
        if len(self._line) < MAX_LINE:
            return None
        self._line, self._discarding = bytearray(), True
        return _too_long()

    def _end_line(self, piece: Payload) -> Optional[Incoming]:
        line, self._line = b"".join((self._line, piece)), bytearray()
        if self._discarding:
            self._discarding = False
            return None
        return _too_long() if len(line) >= MAX_LINE else self._parse(line)

    def _parse(self, line: bytes) -> Optional[Incoming]:
        line = line[line.rfind(RESET) + 1 :]
        if not line.strip():
            return None
        try:
            incoming = _plain_data(line)
            if incoming is not None:
                return incoming
            message = parse(line)
            if message.get("method") != "data":
                return Incoming(message)
            return self._data(message)
        except WireError as error:
            return Incoming({}, None, error)

    def _data(self, message: Dict[str, Any]) -> Optional[Incoming]:
        params = message["params"]
        if "size" in params:
            if not self.frames:
                raise WireError(BAD_STREAM, "frames were not agreed on")
            if not _is_integer(params["size"], MAX_PAYLOAD) or not _is_integer(params.get("crc"), 0xFFFFFFFF):
                raise WireError(BAD_STREAM, f"a frame needs size, at most {MAX_PAYLOAD}, and crc")
            self._announced, self._frame = message, bytearray(params["size"])
            return None
        try:
            payload = base64.b64decode(params["data"], validate=True)
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise WireError(BAD_STREAM, "data is not base64") from None
        if len(payload) > MAX_PAYLOAD:
            raise WireError(BAD_STREAM, f"more than {MAX_PAYLOAD} bytes in one message")
        return Incoming(message, payload)


def _plain_data(line: bytes) -> Optional[Incoming]:
    """A piece as `data_parts` writes it: base64 without a quoted character, at the end. None for all else.

    It takes a tenth of the time that JSON's parser needs for so long a text.
    """
    begin = line.find(_DATA, 0, _HEAD)
    # Where no object has ended before it, it can be in no other one than the params.
    if begin < 0 or b"}" in line[:begin] or not line.endswith(_END, begin + len(_DATA)):
        return None
    text = memoryview(line)[begin + len(_DATA) : -len(_END)]
    try:
        payload = binascii.a2b_base64(text)
    except binascii.Error:
        return None
    # Characters that are not base64 are skipped, and missed in the length.
    padding = line.count(b"=", -len(_END) - 2)
    if len(text) % 4 or len(payload) != len(text) // 4 * 3 - padding or len(payload) > MAX_PAYLOAD:
        return None
    # It is in the params if these have what stands for it here.
    message = parse(line[: begin + len(_DATA) - 1] + b"true}}")
    params = message.get("params", {})
    is_data = message.get("method") == "data" and params.pop("data", None) is True and "size" not in params
    return Incoming(message, payload) if is_data else None


def parse(line: bytes) -> Dict[str, Any]:
    """The message of one line, with ``params`` always a dict; `WireError` when it is none of the protocol's."""
    try:
        message = _DECODER.decode(line.decode("utf-8"))
    except (ValueError, RecursionError):
        raise WireError(PARSE_ERROR, "the line is not JSON") from None
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise WireError(INVALID_REQUEST, "the line is not an object of JSON-RPC 2.0")
    identity = message.get("id")
    if identity is not None and not (isinstance(identity, str) and len(identity) <= 128):
        raise WireError(INVALID_REQUEST, "the id is not a string of at most 128 characters")
    if "method" not in message:
        if ("result" in message) == ("error" in message):
            raise WireError(INVALID_REQUEST, "the message is neither a request nor an answer")
        return message
    if not isinstance(message["method"], str) or not isinstance(message.setdefault("params", {}), dict):
        raise WireError(INVALID_REQUEST, "method must be a string and params an object")
    return message


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("the number is too long")
    return int(digits)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# Made once: to make one takes as long as to use it.
_DECODER = json.JSONDecoder(parse_int=_integer, parse_constant=_no_constant)
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def _is_integer(value: Any, maximum: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= maximum


def _bad(code: int, message: str) -> Incoming:
    return Incoming({}, None, WireError(code, message))


def _too_long() -> Incoming:
    return _bad(INVALID_REQUEST, f"the line is longer than {MAX_LINE} bytes")


class Sent:
    """What the sender of a stream keeps: where it is, and how far it may go.

    :ivar offset: of the next byte.
    :ivar limit: offset up to which the receiver has granted credit.
    """

    def __init__(self, offset: int = 0) -> None:
        self.offset = offset
        self.limit = offset + WINDOW

    @property
    def room(self) -> int:
        """How many bytes may be sent now."""
        return max(0, self.limit - self.offset)

    def grant(self, limit: int) -> None:
        """Take new credit. An old one that comes late changes nothing."""
        self.limit = max(self.limit, limit)


class Received:
    """What the receiver of a stream keeps: what must come next, and how much credit it has given.

    :ivar offset: of the next byte to come.
    :ivar limit: up to where the sender may send.
    """

    def __init__(self, offset: int = 0) -> None:
        self.offset = offset
        self.limit = offset + WINDOW
        self.ended = False
        self._consumed = offset

    def take(self, offset: Any, size: int, eof: bool) -> None:
        """Account for a piece; `WireError` when it is not the next one, or goes beyond the credit."""
        if self.ended or offset != self.offset or isinstance(offset, bool) or offset + size > self.limit:
            raise WireError(BAD_STREAM, "a piece of the stream is missing, repeated, or beyond its credit")
        self.offset += size
        self.ended = eof

    def consume(self, size: int) -> Optional[int]:
        """Account for bytes that were used up; the new limit when it is time to tell the sender."""
        self._consumed += size
        if self.ended or self._consumed + WINDOW < self.limit + WINDOW // 2:
            return None
        self.limit = self._consumed + WINDOW
        return self.limit
