# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors as sentences, from errors that libvirt really raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import (
    did_you_mean,
    explain,
    is_not_found,
    missing,
    single_line,
)


def error_of(function: Callable[..., Any], *args: Any) -> libvirt.libvirtError:
    """The error of a libvirt call that must fail."""
    with pytest.raises(libvirt.libvirtError) as caught:
        function(*args)
    return caught.value


def test_says_what_was_asked_what_libvirt_said_and_what_to_do() -> None:
    connection = libvirt.openReadOnly("test:///default")
    error = error_of(connection.defineXML, "<domain/>")
    assert explain("define the domain 'web1'", error).message == (
        "Cannot define the domain 'web1': operation forbidden: read only access prevents virDomainDefineXML. "
        "The connection is read-only or the user may not do this."
    )


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("authentication failed: Failed to collect auth credentials", "give username and password"),
        ("Cannot recv data: root@h: Permission denied (publickey).: Connection reset by peer", "the SSH key"),
        ("libssh transport error: failed to authenticate: Access denied for 'publickey'", "the SSH key"),
        ("Cannot recv data: Host key verification failed.: Connection reset by peer", "known hosts"),
        ("Unable to read TLS confirmation: Input/output error", "the certificates"),
        ("Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file or directory", "the certificates"),
        ("Cannot write data: Connection reset by peer", "check that libvirtd runs"),
        ("cannot write data to fd: No space left on device", "Free some space"),
        ("something else", ""),
    ],
)
def test_what_no_code_tells_the_words_do(said: str, advice: str) -> None:
    libvirt.virResetLastError()  # else it is that of the test before
    message = explain("connect", libvirt.libvirtError(said)).message
    assert message.startswith(f"Cannot connect: {said.rstrip('.')}.")
    assert advice in message.removeprefix(f"Cannot connect: {said}")


def test_tells_what_is_not_there_from_other_errors() -> None:
    connection = libvirt.open("test:///default")
    assert is_not_found(error_of(connection.lookupByName, "nobody"))
    assert is_not_found(error_of(connection.networkLookupByName, "nowhere"))
    assert is_not_found(error_of(connection.storagePoolLookupByName, "nothing"))
    assert not is_not_found(error_of(connection.defineXML, "<domain/>"))


def test_names_what_is_near() -> None:
    assert missing("domain", "web3", "qemu:///system", ["web2", "web1", "db1"]).message == (
        "There is no domain 'web3' on qemu:///system. Did you mean 'web2' or 'web1'?"
    )


def test_lists_the_few_that_there_are_when_none_is_near() -> None:
    assert did_you_mean("x", ["images"]) == " There is 'images'."
    assert did_you_mean("x", []) == " There is none at all."
    assert did_you_mean("x", [f"pool{number}" for number in range(9)]) == ""


def test_what_a_daemon_says_is_one_bounded_line() -> None:
    assert single_line("one\n  two.\n") == "one two"
    assert len(single_line("x" * 10_000)) == 500
