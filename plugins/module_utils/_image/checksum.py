# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checksums: how a user writes one, and the lists in which publishers keep them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

# Hexadecimal digits → algorithm. MD5 and SHA-1 can be forged and do not count.
_ALGORITHMS = {64: "sha256", 96: "sha384", 128: "sha512"}
_WEAK = {"md5", "sha1"}

_BLOCK = 1024 * 1024

_GNU = re.compile(r"^([0-9a-fA-F]{64,128}) [ *]?(\S.*)$")  # sha256sum
_BSD = re.compile(r"^SHA(256|384|512) \((.+)\) = ([0-9a-fA-F]{64,128})$")  # sha256sum --tag
_BARE = re.compile(r"^([0-9a-fA-F]{64,128})$")


@dataclass(frozen=True)
class Checksum:
    """A checksum that a content must have.

    :ivar algorithm: ``sha256``, ``sha384`` or ``sha512``.
    :ivar digest: hexadecimal digits in lower case.
    """

    algorithm: str
    digest: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.digest}"

    def start(self) -> Any:
        """A new hash object of the algorithm."""
        return hashlib.new(self.algorithm)


def parse(text: str) -> Checksum:
    """What a user wrote: ``sha256:…``.

    :raises Failure: when it is not one.
    """
    algorithm, _colon, digest = text.strip().partition(":")
    algorithm, digest = algorithm.lower(), digest.strip().lower()
    if algorithm in _WEAK:
        raise Failure(f"checksum: {algorithm} can be forged; give sha256, sha384 or sha512.")
    if _ALGORITHMS.get(len(digest)) != algorithm or not _BARE.match(digest):
        raise Failure(
            f"checksum: '{text}' is not a checksum. Write sha256: or sha512: and its hexadecimal "
            "digits, the address of the publisher's checksum file, or none."
        )
    return Checksum(algorithm, digest)


def file_digests(path: str, algorithms: Iterable[str]) -> dict[str, str]:
    """Digests of a file's content, in hexadecimal digits, from reading it once.

    :raises Failure: when it cannot be read.
    """
    digests = {algorithm: hashlib.new(algorithm) for algorithm in algorithms}
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                for digest in digests.values():
                    digest.update(block)
    except OSError as error:
        raise Failure(f"Cannot read {path}: {error.strerror}.") from error
    return {algorithm: digest.hexdigest() for algorithm, digest in digests.items()}


def find(listing: str, file_name: str, only_file: bool) -> Checksum | None:
    """The strongest checksum that a publisher's list has for a file; None where it has none.

    :param file_name: without folders. An entry in a folder counts where there is none outside.
    :param only_file: whether the list is for this file alone. Then the one checksum in it counts, by
        whatever name: some publishers write the name that a ``latest`` link leads to.
    """
    entries = list(_entries(listing))
    named = [checksum for name, checksum in entries if name == file_name]
    if not named:
        named = [checksum for name, checksum in entries if name.rpartition("/")[2] == file_name]
    if not named and only_file and len(entries) == 1:
        named = [entries[0][1]]
    return max(named, key=lambda checksum: len(checksum.digest), default=None)


def _entries(listing: str) -> list[tuple[str, Checksum]]:
    found = []
    for line in listing.splitlines():
        bsd, gnu, bare = _BSD.match(line), _GNU.match(line.rstrip()), _BARE.match(line.strip())
        if bsd:
            name, digest = bsd.group(2), bsd.group(3)
        elif gnu:
            name, digest = gnu.group(2), gnu.group(1)
        elif bare:
            name, digest = "", bare.group(1)
        else:
            continue
        algorithm = _ALGORITHMS.get(len(digest))
        if algorithm:
            found.append((name[2:] if name.startswith("./") else name, Checksum(algorithm, digest.lower())))
    return found
