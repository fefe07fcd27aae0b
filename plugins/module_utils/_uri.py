# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""libvirt's URIs (https://libvirt.org/uri.html): their parts, and whether they mean this machine. Pure."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure


def split_uri(uri: str) -> SplitResult:
    """The parts of a URI.

    :raises Failure: for a text that is none.
    """
    try:
        parts = urlsplit(uri)
        if parts.port == 0:  # a port that is no number is told when it is asked for
            raise ValueError("its port is 0")
    except ValueError as error:
        raise Failure(
            f"'{uri}' is not a URI: {error}. Write one such as qemu:///system or qemu+ssh://root@host/system."
        ) from None
    return parts


def transport(uri: str) -> str:
    """What carries a connection: ``ssh``, ``tls`` …; empty where the URI leaves that to libvirt."""
    return split_uri(uri).scheme.partition("+")[2]


def is_session(uri: str) -> bool:
    """Whether a URI means a user's own daemon, not the system's."""
    return split_uri(uri).path.endswith("/session")


def is_local(uri: str) -> bool:
    """Whether a URI's daemon, or its driver, runs on this machine."""
    return not split_uri(uri).netloc and transport(uri) in ("", "unix")
