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
from typing import Any, Dict, Iterator, NamedTuple, Optional, Tuple

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
    payload: Optional[bytes] = None
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


def data(of: str, stream: str, offset: int, payload: bytes, eof: bool = False, frames: bool = False) -> bytes:
    """A piece of a stream, at most `MAX_PAYLOAD` bytes, as a raw frame after its line or as base64 inside it."""
    params: Dict[str, Any] = {"of": of, "stream": stream, "offset": offset}
    if eof:
        params["eof"] = True
    if frames:
        params["size"] = len(payload)
        params["crc"] = zlib.crc32(payload)
        return notification("data", params) + payload
    params["data"] = base64.b64encode(payload).decode("ascii")
    return notification("data", params)


def _line(message: Dict[str, Any]) -> bytes:
    # ASCII alone: file names that are no UTF-8 travel as lone surrogates, and 0xFF is never sent by accident.
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


class Decoder:
    """Turns what arrives, in pieces of any size, into messages. Holds at most a line, or a frame and its line.

    :ivar frames: whether both ends announced raw frames; without it a frame's line is an error.
    """

    def __init__(self) -> None:
        self.frames = False
        self._buffer = bytearray()
        self._searched = 0  # how much of the buffer is known to hold no LF
        self._discarding = False  # inside a line that is too long
        self._announced: Optional[Dict[str, Any]] = None

    def feed(self, received: bytes) -> Iterator[Incoming]:
        """The messages that ``received`` completes."""
        self._buffer += received
        while True:
            incoming, more = self._frame() if self._announced is not None else self._next_line()
            if incoming is not None:
                yield incoming
            if not more:
                return

    def _frame(self) -> Tuple[Optional[Incoming], bool]:
        message = self._announced or {}
        size = message["params"]["size"]
        if len(self._buffer) < size:
            return None, False
        payload = bytes(self._buffer[:size])
        self._drop(size)
        self._announced = None
        if zlib.crc32(payload) != message["params"]["crc"]:
            return _bad(BAD_STREAM, "a frame is damaged"), True
        return Incoming(message, payload), True

    def _next_line(self) -> Tuple[Optional[Incoming], bool]:
        end = self._buffer.find(b"\n", self._searched)
        if end >= 0:
            line = bytes(self._buffer[:end])
            self._drop(end + 1)
            discarded, self._discarding = self._discarding, False
            too_long = not discarded and len(line) >= MAX_LINE
            return (_too_long() if too_long else None if discarded else self._parse(line)), True
        self._searched = len(self._buffer)
        if self._searched < MAX_LINE:
            return None, False
        self._drop(self._searched)
        first, self._discarding = not self._discarding, True
        return (_too_long() if first else None), False

    def _drop(self, size: int) -> None:
        del self._buffer[:size]  # bytearrays do this without copying the rest
        self._searched = 0

    def _parse(self, line: bytes) -> Optional[Incoming]:
        line = line[line.rfind(RESET) + 1 :]
        if not line.strip():
            return None
        try:
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
            self._announced = message
            return None
        try:
            payload = base64.b64decode(params["data"], validate=True)
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise WireError(BAD_STREAM, "data is not base64") from None
        if len(payload) > MAX_PAYLOAD:
            raise WireError(BAD_STREAM, f"more than {MAX_PAYLOAD} bytes in one message")
        return Incoming(message, payload)


def parse(line: bytes) -> Dict[str, Any]:
    """The message of one line, with ``params`` always a dict; `WireError` when it is none of the protocol's."""
    try:
        message = json.loads(line.decode("utf-8"), parse_int=_integer, parse_constant=_no_constant)
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
