# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an image comes from, as the task's options say it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import catalogue, checksum
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.checksum import Checksum
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._masking import address_secrets, mask_address

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._+-]+")
_SUFFIXES = (".qcow2", ".img", ".raw", ".iso")
_SAFE = "!#$%&'()*+,/:;=?@[]~"  # what stays as it is in an address: all that it may have, and what is quoted already
_ADDRESSES = ("url", "checksum", "signature_url")


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
    def location(self) -> str:
        """The address or the path; an address may have a password in it."""
        return self.url or self.path or self.label

    @property
    def where(self) -> str:
        """The address or the path, for people."""
        return mask_address(self.url) if self.url else self.location

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
    if given and _scheme(given) == "file":
        return _local(params, unquote(urlsplit(given).path))
    if given:
        return _own(params, given)
    return _named(params)


def secrets(params: Mapping[str, Any]) -> set[str]:
    """What of a task's options must not be seen: the passwords in its addresses."""
    return {secret for option in _ADDRESSES for secret in address_secrets(params.get(option) or "")}


def file_name(where: str) -> str:
    """The last part of an address or a path."""
    return unquote(urlsplit(where).path).rpartition("/")[2]


def _named(params: dict[str, Any]) -> Source:
    own = catalogue.read_own(params["catalogue"]) if params.get("catalogue") else None
    image = catalogue.find(params["name"], params["arch"], own)
    if not image.checksum_url:
        _require_checksum(params, f"The image '{image.name}' has no checksum_url in the catalogue, so it")
    wanted, listing = _expected(params.get("checksum"))
    if listing is None and wanted is None and image.checksum_url:
        listing = _http(image.checksum_url, f"the checksum_url of the image '{image.name}'")
    signature = image.signature_url
    return Source(
        label=_label(image.name if image.arch == "x86_64" else f"{image.name}-{image.arch}"),
        url=_image_address(image.url),
        checksum=wanted,
        checksum_url=listing,
        signature_url=_http(signature, f"the signature_url of the image '{image.name}'") if signature else None,
        key_fingerprint=image.key_fingerprint,
        format=params.get("format") or image.format,
        user=image.user,
        firmware=image.firmware,
    )


def _own(params: dict[str, Any], url: str) -> Source:
    address = _image_address(url)
    _require_checksum(params, "An image from a url")
    signature = params.get("signature_url")
    wanted, listing = _expected(params["checksum"])
    return Source(
        label=_label(_stem(address)),
        url=address,
        checksum=wanted,
        checksum_url=listing,
        signature_url=_http(signature, "signature_url") if signature else None,
        format=params.get("format"),
    )


def _local(params: dict[str, Any], path: str) -> Source:
    wanted, listing = _expected(params.get("checksum"))
    if listing is not None:
        raise Failure("checksum: a file of this machine needs the checksum itself, sha256:…, not an address.")
    return Source(label=_label(_stem(path)), path=path, checksum=wanted, format=params.get("format"))


def _require_checksum(params: dict[str, Any], what: str) -> None:
    """Refuse an image whose content nobody vouches for, unless the user says so; to remove one needs no checksum."""
    if not params.get("checksum") and params.get("state") != "absent":
        raise Failure(
            f"{what} needs its checksum: give checksum as sha256:… or as the address of the publisher's "
            "checksum file. To go without, say checksum: none."
        )


def _expected(text: str | None) -> tuple[Checksum | None, str | None]:
    """The checksum, or the address of a list of them, that a user wrote."""
    if text is None or text == "none":
        return None, None
    if _scheme(text) in ("http", "https"):
        return None, _http(text, "checksum")
    return checksum.parse(text), None


def _image_address(url: str) -> str:
    """As `_http`, for the address of an image, which must name a file."""
    address = _quoted(url)
    if address is None or not file_name(address):
        raise Failure(
            f"'{mask_address(url)}' is not the address of an image: it must begin with https:// (or http://) and name "
            "a file."
        )
    return address


def _http(url: str, what: str) -> str:
    """An address that can be downloaded, with quotes for what no address may have.

    :param what: for the error.
    :raises Failure: for what is none, and for files of this machine.
    """
    address = _quoted(url)
    if address is None:
        raise Failure(
            f"{what}: '{mask_address(url)}' is not an address to download from: it must begin with https:// (or "
            "http://) and a host."
        )
    return address


def _quoted(url: str) -> str | None:
    """An address of HTTP in the characters that it may have; None for anything else."""
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets that do not match, a port that is no number
        return None
    if not is_whole:
        return None
    return parts._replace(path=quote(parts.path, _SAFE), query=quote(parts.query, _SAFE), fragment="").geturl()


def _scheme(text: str) -> str:
    """What an address begins with; nothing for a text that is none."""
    try:
        return urlsplit(text).scheme
    except ValueError:
        return ""


def _stem(where: str) -> str:
    name, suffix = os.path.splitext(file_name(where))
    return name if suffix.lower() in _SUFFIXES else name + suffix


def _label(text: str) -> str:
    """A text as it may stand in file and volume names of every kind of pool."""
    return _NOT_IN_NAMES.sub("-", text).strip("-.") or "image"
