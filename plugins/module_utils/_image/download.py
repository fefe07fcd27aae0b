# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Download a file over HTTP: resumed where it broke off, checked while it arrives, never half there.

The content goes into ``TARGET.part``; only a complete file with the right checksum gets its name. What is
needed to resume it later stands in ``TARGET.part.json``.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import os
import socket
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ansible.module_utils.urls import open_url

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import (
    Failure,
    single_line,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.checksum import Checksum, file_digests
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._masking import mask_address

_BLOCK = 1024 * 1024
_SMALL = 4 * 1024 * 1024  # no checksum list and no signature is larger

# Besides OSError, what a bad answer or an address that the server redirects to raises.
_BAD_ANSWER = (http.client.HTTPException, ValueError)

# How many times in a row a transfer may break off without a single new byte.
_FRUITLESS = 2


@dataclass(frozen=True)
class Downloaded:
    """A complete download.

    :ivar sha256: of the content, in hexadecimal digits.
    :ivar etag: the server's name for this content, or None.
    """

    sha256: str
    etag: str | None


class _Broken(Exception):
    """The transfer ended before the content did."""


def fetch_small(url: str, timeout: float) -> bytes:
    """The content of a small file, such as a checksum list.

    :param timeout: seconds without any answer.
    :raises Failure: when it cannot be had.
    """
    try:
        with _open(url, {}, timeout) as response:
            content = bytes(response.read(_SMALL + 1))
    except (OSError, *_BAD_ANSWER) as error:
        raise _failure(url, error) from error
    if len(content) > _SMALL:
        raise Failure(f"{mask_address(url)} is larger than {_SMALL // 1024**2} MiB: that is no checksum list.")
    return content


def etag(url: str, timeout: float) -> str | None:
    """What the server calls the content that it has now; None where it does not say.

    :raises Failure: when the server cannot be asked.
    """
    try:
        with _open(url, {}, timeout, method="HEAD") as response:
            return _strong_etag(response)
    except (OSError, *_BAD_ANSWER) as error:
        raise _failure(url, error) from error


def fetch(url: str, target: str, expected: Checksum | None, timeout: float) -> Downloaded:
    """Download into a file.

    :param target: its path; replaced in one step once the content is complete and right.
    :param expected: the checksum that the content must have.
    :param timeout: seconds without any new byte after which the transfer counts as broken.
    :raises Failure: with nothing left behind for a wrong checksum; with the part that arrived, to resume
        from the next time, for a transfer that breaks.
    """
    transfer = _Transfer(url, target + ".part", timeout)
    try:
        transfer.run()
        found = transfer.digests({"sha256"} | ({expected.algorithm} if expected else set()))
        if expected is not None and found[expected.algorithm] != expected.digest:
            transfer.discard()
            raise mismatch(mask_address(url), expected, found[expected.algorithm], "It was deleted. ")
        transfer.keep(target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            transfer.discard()
            raise Failure(
                f"Cannot store {mask_address(url)} in {os.path.dirname(target)}: the disk is full. "
                "Free some space there or choose another cache_dir."
            ) from error
        if isinstance(error, PermissionError):  # in a folder that users share
            with contextlib.suppress(PermissionError):
                transfer.discard()
            raise Failure(
                f"Cannot store {mask_address(url)} in {os.path.dirname(target)}: {error.strerror}. "
                "Another user may have downloaded it there. Choose another cache_dir."
            ) from error
        raise _failure(url, error) from error
    except (_Broken, *_BAD_ANSWER) as error:
        raise _failure(url, error) from error
    return Downloaded(found["sha256"], transfer.etag)


def mismatch(what: str, expected: Checksum, actual: str, done: str = "") -> Failure:
    """The `Failure` for a content that does not have its checksum."""
    return Failure(
        f"The content of {what} does not have its checksum: its {expected.algorithm} is {actual}, not "
        f"{expected.digest}. {done}If the publisher has just replaced the image, try again; otherwise "
        "do not use it."
    )


class _Transfer:
    """One download into a ``.part`` file, with as many connections as it takes."""

    def __init__(self, url: str, part: str, timeout: float) -> None:
        self._url = url
        self._part = part
        self._memo = part + ".json"
        self._timeout = timeout
        self.etag: str | None = self._known_etag()

    def run(self) -> None:
        """Transfer all that is missing."""
        fruitless = 0
        while True:
            before = self._have()
            try:
                self._continue(before)
                return
            except HTTPError as error:
                if error.code != 416 or not before:
                    raise
                self.discard()  # the part is longer than the content: not the same one any more
            except (_Broken, socket.timeout, ConnectionError, http.client.HTTPException):
                fruitless = 0 if self._have() > before else fruitless + 1
                if fruitless >= _FRUITLESS:
                    raise

    def digests(self, algorithms: set[str]) -> dict[str, str]:
        """Digests of what has arrived, in hexadecimal digits."""
        return file_digests(self._part, algorithms)

    def keep(self, target: str) -> None:
        """Give the content its name."""
        os.replace(self._part, target)
        self._forget(self._memo)

    def discard(self) -> None:
        """Delete all that has arrived."""
        self._forget(self._part)
        self._forget(self._memo)

    def _continue(self, have: int) -> None:
        headers = {}
        if have and self.etag:  # without a name for the content nobody can know that it is still the same
            headers = {"Range": f"bytes={have}-", "If-Range": self.etag}
        with _open(self._url, headers, self._timeout) as response:
            resumed = response.status == 206 and _starts_at(response, have)
            self.etag = _strong_etag(response)
            self._remember()
            start = have if resumed else 0
            announced = _announced(response)
            with open(self._part, "r+b" if resumed else "wb") as file:
                file.seek(start)
                while block := response.read(_BLOCK):
                    file.write(block)
                end = file.tell()
        if announced is not None and end - start < announced:
            raise _Broken(f"it ended after {end} of {start + announced} bytes")

    def _have(self) -> int:
        try:
            return os.stat(self._part).st_size
        except FileNotFoundError:
            return 0

    def _known_etag(self) -> str | None:
        """The ETag of what is in the ``.part`` file, if that is from the same address."""
        try:
            with open(self._memo, encoding="utf-8") as file:
                memo = json.load(file)
        except (OSError, ValueError):
            return None
        return memo.get("etag") if memo.get("url") == mask_address(self._url) else None

    def _remember(self) -> None:
        with open(self._memo, "w", encoding="utf-8") as file:
            json.dump({"url": mask_address(self._url), "etag": self.etag}, file)

    @staticmethod
    def _forget(path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _open(url: str, headers: dict[str, str], timeout: float, method: str = "GET") -> Any:
    # A compressed answer could be neither resumed nor checked against the publisher's checksum.
    return open_url(
        url,
        method=method,
        headers={"Accept-Encoding": "identity", **headers},
        timeout=timeout,
        decompress=False,
        follow_redirects="safe",
        http_agent="kvmmanager.libvirt",
    )


def _starts_at(response: Any, position: int) -> bool:
    """Whether a partial answer begins where ours ends (RFC 9110, 14.4)."""
    return bool(response.headers.get("Content-Range", "").startswith(f"bytes {position}-"))


def _announced(response: Any) -> int | None:
    """How many bytes an answer says that it has; None where it does not say."""
    said = response.headers.get("Content-Length")
    try:
        return int(said) if said else None
    except ValueError:
        raise ValueError(f"the server says that the content has '{single_line(said, 40)}' bytes") from None


def _strong_etag(response: Any) -> str | None:
    """The answer's ETag or date, if it may be given back in If-Range (RFC 9110, 13.1.5)."""
    etag = response.headers.get("ETag") or response.headers.get("Last-Modified")
    return None if etag is None or etag.startswith("W/") else str(etag)


def _failure(url: str, error: Exception) -> Failure:
    doing = f"Cannot download {mask_address(url)}"
    if isinstance(error, HTTPError):
        advice = {
            404: "There is nothing at this address: check it, or the entry of the catalogue",
            401: "The server asks for a login",
            403: "The server refuses it",
        }.get(error.code, "Try again later")
        return Failure(f"{doing}: the server answers {error.code} {error.reason}. {advice}.")
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, socket.timeout):
        said = "no answer in time (timeout)"
    else:
        said = single_line(getattr(reason, "strerror", None) or str(reason) or type(reason).__name__)
    return Failure(f"{doing}: {mask_address(said)}. {_advice(url, reason)}.")


def _advice(url: str, reason: Any) -> str:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return (
            "This machine does not trust the certificate of the server: check its name and its dates, and add the CA "
            "that signed it to the CA certificates of this machine"
        )
    proxy = _proxy(url)
    if proxy is not None:
        return f"Check the address, and the proxy {mask_address(proxy)} that the environment of this task names"
    return "Check the address and that this machine reaches the network"


def _proxy(url: str) -> str | None:
    """The proxy that a request for an address goes through."""
    parts = urlsplit(url)
    return None if not parts.hostname or proxy_bypass(parts.hostname) else getproxies().get(parts.scheme)
