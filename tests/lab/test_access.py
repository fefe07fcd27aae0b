# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways to log in to a lab's hosts."""

from __future__ import annotations

import os
from collections.abc import Iterator

import libvirt
import pytest

from tests.lab import Host, Lab, LabError, settings

_HOSTS = [
    Host("open12", "bookworm", tls=True, ssh=True),
    Host("open13", "trixie", tls=True, ssh=True),
    Host("closed12", "bookworm", auth="sasl", tls=True, ssh=True),
    Host("closed13", "trixie", auth="sasl", tls=True, ssh=True),
]
_CREDENTIALS = [libvirt.VIR_CRED_AUTHNAME, libvirt.VIR_CRED_PASSPHRASE]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    with Lab(name=f"access-{os.getpid()}", hosts=_HOSTS) as running:
        yield running


def log_in(uri: str, password: str = settings.SASL_PASSWORD) -> str:
    """Return the name of the host behind a URI, or raise libvirtError."""

    def answer(questions: list[list], _data: None) -> int:
        for question in questions:
            question[4] = password if question[0] == libvirt.VIR_CRED_PASSPHRASE else settings.SASL_USER
        return 0

    with libvirt.openAuth(uri, [_CREDENTIALS, answer, None], 0) as connection:
        return connection.getHostname()


@pytest.mark.parametrize("host", [host.name for host in _HOSTS])
@pytest.mark.parametrize("transport", ["tcp", "tls", "ssh"])
def test_every_transport(lab: Lab, host: str, transport: str) -> None:
    assert log_in(lab[host].uri_for(transport)) == host


@pytest.mark.parametrize("host", ["closed12", "closed13"])
@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_wrong_password_is_refused(lab: Lab, host: str, transport: str) -> None:
    with pytest.raises(libvirt.libvirtError, match="authentication failed") as caught:
        log_in(lab[host].uri_for(transport), password="wrong")
    assert caught.value.get_error_code() == libvirt.VIR_ERR_AUTH_FAILED


def test_without_a_password_sasl_refuses(lab: Lab) -> None:
    with pytest.raises(libvirt.libvirtError, match="authentication failed"):
        libvirt.open(lab["closed12"].uri)


def test_tls_without_the_client_certificate_is_refused(lab: Lab) -> None:
    uri = lab["open12"].uri_for("tls").partition("?")[0]
    with pytest.raises(libvirt.libvirtError):
        libvirt.open(uri)


def test_what_was_not_asked_for_is_not_offered(lab: Lab) -> None:
    with pytest.raises(LabError, match="does not offer 'libssh'"):
        lab["open12"].uri_for("libssh")


def test_client_files_are_for_root_alone(lab: Lab) -> None:
    assert lab.client.folder.stat().st_mode & 0o077 == 0
