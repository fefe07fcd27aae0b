# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Obtain an image: from the cache, else from its publisher, and never without knowing that it is the right one."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import (
    checksum,
    download,
    image_file,
    signature,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.cache import Cache, Cached
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.checksum import Checksum
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.source import Source, file_name
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._masking import mask_address


@dataclass(frozen=True)
class Policy:
    """What the task asks of a download.

    :ivar refresh: ``missing`` takes what the cache has; ``newer`` asks the publisher each time.
    :ivar keyring: public keys against which the publisher's list is verified; None does not verify.
    :ivar identify: whether a file of this machine that nobody gave a checksum for needs one: to name it.
    :ivar timeout: seconds without any new byte after which a transfer counts as broken.
    """

    refresh: str = "missing"
    keyring: str | None = None
    identify: bool = True
    timeout: float = 30


class Library:
    """Images, by their sources.

    :param cache: where downloads are kept.
    """

    def __init__(self, cache: Cache, policy: Policy) -> None:
        self._cache = cache
        self._policy = policy

    def known(self, source: Source) -> Cached | None:
        """The image if it is here and does for the task, without asking anybody."""
        if source.path is not None:
            return self._local_file(source, source.path)
        cached = self._cache.known(source)
        if cached is None or (self._policy.keyring is not None and not cached.is_signed):
            return None
        if source.checksum is not None:
            return cached if _has(cached, source.checksum) else None
        # What was taken without a checksum once does not do for a task that has one.
        return cached if source.checksum_url is None or cached.is_vouched else None

    def current(self, source: Source) -> tuple[Cached | None, Checksum | None]:
        """What the task is to end with: the image if it is here already, and its checksum as far as it is known.

        Asks the publisher for the list of checksums where it must, for the image never.

        :raises Failure: when the publisher cannot be asked or has no checksum for the image.
        """
        cached = self.known(source)
        if cached is not None and (source.path is not None or self._policy.refresh == "missing"):
            return cached, cached.identity
        wanted = self._wanted(source)
        if cached is None:
            return None, wanted
        is_same = _has(cached, wanted) if wanted else self._is_unchanged(source, cached)
        return (cached, cached.identity) if is_same else (None, wanted)

    def obtain(self, source: Source, wanted: Checksum | None) -> Cached:
        """The image, downloaded if it is not here.

        :param wanted: the checksum that it must have, from `current`.
        :raises Failure: when it cannot be had, or is not what it should be: then nothing of it stays.
        """
        with self._cache.lock(source.location):
            known = self.known(source)  # another process may have downloaded it meanwhile
            if known is not None and wanted is not None and _has(known, wanted):
                return known
            path = self._cache.path_of(source)
            downloaded = download.fetch(source.location, path, wanted, self._policy.timeout)
            try:
                image_file.inspect(path, source.format)
            except Failure:
                self._cache.forget(source)
                raise
            identity = wanted or Checksum("sha256", downloaded.sha256)
            image = Cached(
                path,
                identity,
                downloaded.sha256,
                downloaded.etag,
                is_vouched=wanted is not None,
                is_signed=self._policy.keyring is not None,
            )
            self._cache.remember(source, image)
            return image

    def _wanted(self, source: Source) -> Checksum | None:
        """The checksum that the user or the publisher says; None where the user goes without."""
        if self._policy.keyring is None and (source.checksum is not None or source.checksum_url is None):
            return source.checksum
        if source.checksum_url is None:
            raise Failure(f"There is no checksum list for {source.where} whose signature could be verified.")
        listing = self._verified(source, download.fetch_small(source.checksum_url, self._policy.timeout))
        name = file_name(source.where)
        only_file = source.url is not None and source.checksum_url.startswith(source.url)
        found = checksum.find(listing.decode(errors="replace"), name, only_file)
        if found is None:
            raise Failure(
                f"The checksum list {mask_address(source.checksum_url)} has no SHA-256 or SHA-512 for {name}. "
                "Give the checksum itself, sha256:…"
            )
        return found

    def _verified(self, source: Source, listing: bytes) -> bytes:
        """The part of a checksum list that the publisher signed; all of it where nobody asked."""
        if self._policy.keyring is None:
            return listing
        if source.signature_url is None:
            raise Failure(
                f"The publisher of {source.where} does not sign its checksums. "
                "Set verify_signature to false, or give a checksum that you trust."
            )
        detached = None
        if source.signature_url != source.checksum_url:
            detached = download.fetch_small(source.signature_url, self._policy.timeout)
        return signature.verify(listing, detached, self._policy.keyring, source.key_fingerprint)

    def _local_file(self, source: Source, path: str) -> Cached:
        """A file of this machine, checked; it needs no cache."""
        image_file.inspect(path, source.format)
        if source.checksum is None and not self._policy.identify:
            return Cached(path, None, "")  # to read it all would take long, for nothing
        algorithm = source.checksum.algorithm if source.checksum else "sha256"
        found = Checksum(algorithm, checksum.file_digests(path, {algorithm})[algorithm])
        if source.checksum is not None and found != source.checksum:
            raise download.mismatch(path, source.checksum, found.digest)
        return Cached(path, found, found.digest if algorithm == "sha256" else "")

    def _is_unchanged(self, source: Source, cached: Cached) -> bool:
        return cached.etag is not None and download.etag(source.location, self._policy.timeout) == cached.etag


def _has(cached: Cached, wanted: Checksum) -> bool:
    return wanted == cached.identity or wanted == Checksum("sha256", cached.sha256)
