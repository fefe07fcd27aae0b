# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors as sentences: what was asked, what libvirt said, what to do.

Every error that a user can meet is a `Failure`; a libvirt error becomes one here and nowhere else.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt

_LOGIN = "The daemon asks for a login: give username and password"

# libvirt-common's virErrorNumber, by name because libvirt may be missing here, → what to do about it.
# https://libvirt.org/html/libvirt-virterror.html#virErrorNumber
_ADVICE = {
    "VIR_ERR_AUTH_FAILED": "Check username and password of this connection",
    "VIR_ERR_AUTH_CANCELLED": _LOGIN,
    "VIR_ERR_AUTH_UNAVAILABLE": "The daemon offers no login that this client knows",
    "VIR_ERR_OPERATION_DENIED": "The connection is read-only or the user may not do this",
    "VIR_ERR_ACCESS_DENIED": "The daemon's access rules refuse this to the user of the connection",
    "VIR_ERR_NO_SUPPORT": "The libvirt or QEMU of this host cannot do this",
    "VIR_ERR_CONFIG_UNSUPPORTED": "The libvirt or QEMU of this host cannot do this",
    "VIR_ERR_ARGUMENT_UNSUPPORTED": "The libvirt or QEMU of this host cannot do this",
    "VIR_ERR_XML_DETAIL": "Correct that value of the task, or that place in its XML",
    "VIR_ERR_XML_INVALID_SCHEMA": "Correct the XML: it does not follow libvirt's schema",
    "VIR_ERR_NO_SPACE": "Free some space on the storage pool's host",
    "VIR_ERR_OPERATION_TIMEOUT": "Something else holds the resource: try again when that has ended",
    "VIR_ERR_AGENT_UNRESPONSIVE": "The guest agent does not answer: check that it runs in the guest",
}

_SSH_KEY = "Check the user that the URI names and the SSH key of this connection (ssh_key_file)"
_HOST_KEY = "Check the key of the host, and add it to the known hosts (those of ssh, or ssh_known_hosts)"
_CERTIFICATES = (
    "Check the certificates of this connection: cacert.pem, clientcert.pem and clientkey.pem in tls_pki_path"
)
# What no code tells: a part of what libvirt says → what to do about it. The first that fits counts.
_SAID = {
    "Failed to collect auth credentials": _LOGIN,
    "Permission denied (": _SSH_KEY,
    "Access denied for": _SSH_KEY,
    "ost key verification": _HOST_KEY,
    "TLS confirmation": _CERTIFICATES,
    "Cannot read CA certificate": _CERTIFICATES,
    "Certificate failed validation": _CERTIFICATES,
    "does not match the hostname": _CERTIFICATES,
    "TLS handshake failed": _CERTIFICATES,
    "No space left on device": "Free some space on the storage pool's host",
}

_NOT_FOUND = (
    "VIR_ERR_NO_DOMAIN",
    "VIR_ERR_NO_NETWORK",
    "VIR_ERR_NO_INTERFACE",
    "VIR_ERR_NO_STORAGE_POOL",
    "VIR_ERR_NO_STORAGE_VOL",
    "VIR_ERR_NO_DOMAIN_METADATA",
    "VIR_ERR_NO_DOMAIN_SNAPSHOT",
    "VIR_ERR_NO_NODE_DEVICE",
    "VIR_ERR_NO_SECRET",
    "VIR_ERR_NO_NWFILTER",
)


class Failure(Exception):
    """An error that a person can act on.

    :param message: one or two sentences: what was asked, what happened, what to do. No traceback, no secret.
    :param result: what the task returns besides, a dict of plain data (what was done before the failure, say).
    """

    def __init__(self, message: str, **result: Any) -> None:
        super().__init__(message)
        self.message = message
        self.result = result


def explain(doing: str, error: Exception, otherwise: str = "") -> Failure:
    """The `Failure` for a libvirt error.

    :param doing: what was asked, to follow "Cannot ", for example ``define the domain 'web1'``.
    :param error: a ``libvirt.libvirtError``.
    :param otherwise: the advice where the error's code alone suggests none, without a full stop.
    """
    said = single_line(str(error))
    advice = _advice(error) or otherwise
    return Failure(f"Cannot {doing}: {said}." + (f" {advice}." if advice else ""))


def is_not_found(error: Exception) -> bool:
    """Whether a libvirt error says that the named resource does not exist."""
    return error_code(error) in _codes(_NOT_FOUND)


def is_connection_lost(error: Exception) -> bool:
    """Whether a libvirt error says that the daemon is no longer there."""
    said = str(error)
    return (
        "client socket is closed" in said
        or "keepalive" in said
        or "End of file while reading data" in said
        or "connection closed" in said
        or "Cannot write data" in said
        or error_code(error) == libvirt.VIR_ERR_INVALID_CONN
    )


def error_code(error: Exception) -> int | None:
    """The virErrorNumber of a libvirt error, or None where there is none."""
    code = getattr(error, "get_error_code", lambda: None)()
    return code if isinstance(code, int) else None


def missing(kind: str, name: str, where: str, known: Iterable[str]) -> Failure:
    """The `Failure` for a resource that does not exist, with the names that are near.

    :param kind: ``domain``, ``storage pool`` …
    :param where: the URI, or ``storage pool 'images'``.
    :param known: the names that do exist there.
    """
    return Failure(f"There is no {kind} '{name}' on {where}." + did_you_mean(name, known))


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence that names what is near to ``name`` or, for a handful, what there is; may be empty."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return " Did you mean " + " or ".join(f"'{n}'" for n in near) + "?"
    if not names:
        return " There is none at all."
    if len(names) <= 5:
        return " There is " + ", ".join(f"'{n}'" for n in names) + "."
    return ""


def single_line(text: str, limit: int = 500) -> str:
    """What somebody else's program said, on one line, bounded, without a full stop at its end."""
    line = " ".join(text.split())
    if len(line) > limit:
        line = line[: limit - 1] + "…"
    return line.rstrip(".")


def _advice(error: Exception) -> str:
    if is_connection_lost(error):
        return "The connection to the daemon was lost: check that libvirtd runs, then run the task again"
    said = str(error)
    if advice := next((advice for part, advice in _SAID.items() if part in said), ""):
        return advice
    code = error_code(error)
    for name, advice in _ADVICE.items():
        if getattr(libvirt, name, None) == code and code is not None:
            return advice
    return ""


def _codes(names: Iterable[str]) -> set[int]:
    # A code that this libvirt-python does not know cannot be met either.
    return {getattr(libvirt, name) for name in names if hasattr(libvirt, name)}
