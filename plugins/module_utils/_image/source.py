# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an image comes from, as the task's options say it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import catalogue, checksum
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.checksum import Checksum

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._+-]+")
_SUFFIXES = (".qcow2", ".img", ".raw", ".iso")


@dataclass(frozen=True)
class Source:
    """An image and how to know that it is the right one.

    :ivar label: a short name that can be part of a file's name.
    :ivar url: where to download it; None for a file of this machine.
    :ivar path: a file of this machine; None for a download.
    :ivar checksum: what the user says that its content must have.
    :ivar checksum_url: the publisher's list of checksums.
    :ivar signature_url: the signature of that list, or the list itself when it is signed inside.
    :ivar format: the format that it must have, or None.
    """

    label: str
    url: str | None = None
    path: str | None = None
    checksum: Checksum | None = None
    checksum_url: str | None = None
    signature_url: str | None = None
    key_fingerprint: str | None = None
    format: str | None = None
    user: str | None = None
    firmware: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The address or the path, for people."""
        return self.url or self.path or self.label

    @property
    def suffix(self) -> str:
        """How a file with this image ends, with the dot."""
        if self.format:
            return f".{self.format}"
        found = os.path.splitext(file_name(self.where))[1].lower()
        return found if found in _SUFFIXES else ".img"


def from_params(params: dict[str, Any]) -> Source:
    """The source that a task names with ``name``, ``url`` or ``path``.

    :raises Failure: for a name that is not in the catalogue, or a download whose content nobody vouches for.
    """
    if params.get("path"):
        return _local(params, params["path"])
    given = params.get("url")
    if given and urlsplit(given).scheme == "file":
        return _local(params, unquote(urlsplit(given).path))
    if given:
        return _own(params, given)
    return _named(params)


def file_name(where: str) -> str:
    """The last part of an address or a path."""
    return unquote(urlsplit(where).path).rpartition("/")[2]


def _named(params: dict[str, Any]) -> Source:
    own = catalogue.read_own(params["catalogue"]) if params.get("catalogue") else None
    image = catalogue.find(params["name"], params["arch"], own)
    wanted, listing = _expected(params.get("checksum"))
    return Source(
        label=_label(image.name if image.arch == "x86_64" else f"{image.name}-{image.arch}"),
        url=_http(image.url),
        checksum=wanted,
        checksum_url=listing or (None if wanted else image.checksum_url),
        signature_url=image.signature_url,
        key_fingerprint=image.key_fingerprint,
        format=params.get("format") or image.format,
        user=image.user,
        firmware=image.firmware,
    )


def _own(params: dict[str, Any], url: str) -> Source:
    if not params.get("checksum"):
        raise Failure(
            "An image from a url needs its checksum: give checksum as sha256:… or as the address of the publisher's "
            "checksum file. To go without, say checksum: none."
        )
    wanted, listing = _expected(params["checksum"])
    return Source(
        label=_label(_stem(url)),
        url=_http(url),
        checksum=wanted,
        checksum_url=listing,
        signature_url=params.get("signature_url"),
        format=params.get("format"),
    )


def _local(params: dict[str, Any], path: str) -> Source:
    wanted, listing = _expected(params.get("checksum"))
    if listing is not None:
        raise Failure("checksum: a file of this machine needs the checksum itself, sha256:…, not an address.")
    return Source(label=_label(_stem(path)), path=path, checksum=wanted, format=params.get("format"))


def _expected(text: str | None) -> tuple[Checksum | None, str | None]:
    """The checksum, or the address of a list of them, that a user wrote."""
    if text is None or text == "none":
        return None, None
    if urlsplit(text).scheme in ("http", "https"):
        return None, text
    return checksum.parse(text), None


def _http(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or not file_name(url):
        raise Failure(
            f"'{url}' is not the address of an image: it must begin with https:// (or http://) and name a file."
        )
    return url


def _stem(where: str) -> str:
    name, suffix = os.path.splitext(file_name(where))
    return name if suffix.lower() in _SUFFIXES else name + suffix


def _label(text: str) -> str:
    """A text as it may stand in file and volume names of every kind of pool."""
    return _NOT_IN_NAMES.sub("-", text).strip("-.") or "image"
