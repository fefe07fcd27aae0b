# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cloud image of the demo: downloaded where the network allows, else built from Debian's packages."""

from __future__ import annotations

import os
import pathlib
import urllib.error
import urllib.request

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import catalogue

from .common import DemoError, remember, remembered, say

NAME = "debian-13"
_PATIENCE = 10  # seconds for the publisher's server to answer


def choose(arch: str = "x86_64") -> str:
    """What to give the role as its image: a name of the catalogue, or a file. The next run chooses the same.

    :raises DemoError: the image can neither be downloaded nor built.
    """
    earlier = remembered("image")
    if earlier and (earlier == NAME or pathlib.Path(earlier).exists()):
        return str(earlier)
    unreachable = _reason_not_to_download(arch)
    if unreachable is None:
        say(f"the image is {NAME}, downloaded once and checked against its publisher's checksum")
        return str(remember("image", NAME))
    return str(remember("image", _build(f"no image can be downloaded ({unreachable})")))


def _reason_not_to_download(arch: str) -> str | None:
    """Why the publisher's checksums cannot be had, or None where they can."""
    url = catalogue.find(NAME, arch).checksum_url or ""
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
            answer.read(1)
    except (OSError, ValueError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        return f"{url}: {reason}"
    return None


def _build(reason: str) -> str:
    """The file of an image that is built once, and again only when its recipe changes.

    :param reason: why there is no other one.
    """
    from tests.lab import LabError, images

    if os.geteuid() != 0 and not _is_built():
        raise DemoError(
            f"{reason}, and only root can build one from Debian's packages: run "
            "`sudo .venv/bin/python -m tests.lab image cloud` once, then repeat what you did."
        )
    say(f"{reason}, so one is built from Debian's packages, or taken from an earlier build")
    try:
        return str(images.cloud())
    except LabError as error:
        raise DemoError(f"the image cannot be built: {error}") from error


def _is_built() -> bool:
    """Whether an earlier build is there."""
    from tests.lab.cache import CACHE

    return any(CACHE.glob("images/cloud-*"))
