# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""URIs with their options, and connections that cannot be opened."""

from __future__ import annotations

from typing import Any

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import (
    ConnectionOptions,
    Hypervisor,
    connect,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"uri": "qemu:///system"}, "qemu:///system"),
        ({"uri": "qemu+ssh://root@kvm1/system"}, "qemu+ssh://root@kvm1/system?no_tty=1"),
        (
            {"uri": "qemu+ssh://root@kvm1/system?socket=/run/x", "ssh_key_file": "/home/me/id"},
            "qemu+ssh://root@kvm1/system?socket=/run/x&no_tty=1&keyfile=/home/me/id",
        ),
        (
            {"uri": "qemu+libssh://kvm1/system", "ssh_known_hosts": "/etc/my hosts"},
            "qemu+libssh://kvm1/system?no_tty=1&known_hosts=/etc/my%20hosts",
        ),
        ({"uri": "qemu+tls://kvm1/system"}, "qemu+tls://kvm1/system"),
        (
            {"uri": "qemu+tls://kvm1/system", "tls_pki_path": "/pki", "tls_verify": False},
            "qemu+tls://kvm1/system?pkipath=/pki&no_verify=1",
        ),
        ({"uri": "qemu://kvm1/system", "tls_verify": False}, "qemu://kvm1/system?no_verify=1"),
    ],
)
def test_options_become_libvirts_parameters(options: dict[str, Any], expected: str) -> None:
    assert ConnectionOptions(**options).full_uri == expected


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"uri": "qemu:///system", "ssh_key_file": "/k"}, "ssh_key_file needs an SSH URI"),
        ({"uri": "qemu+ssh://h/system", "ssh_known_hosts": "/k"}, "ssh_known_hosts needs a URI such as qemu.libssh"),
        ({"uri": "qemu+tcp://h/system", "tls_verify": False}, "need a TLS URI"),
        ({"uri": "qemu:///system", "tls_pki_path": "/pki"}, "need a TLS URI"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(options: dict[str, Any], sentence: str) -> None:
    given = ConnectionOptions(**options)
    with pytest.raises(Failure, match=sentence):
        str(given.full_uri)


def test_what_is_no_uri_is_no_traceback() -> None:
    with pytest.raises(Failure, match=r"'qemu\+ssh://\[bad/system' is not a URI: Invalid IPv6 URL\."):
        Hypervisor(ConnectionOptions("qemu+ssh://[bad/system"))


def test_a_uri_without_a_host_keeps_its_slashes() -> None:
    assert ConnectionOptions(uri="qemu+ssh:///system").full_uri == "qemu+ssh:///system?no_tty=1"


def test_only_the_named_options_are_taken_from_a_task() -> None:
    params = {"uri": "test:///default", "username": None, "connect_timeout": 3.0, "name": "web1"}
    assert ConnectionOptions.from_params(params) == ConnectionOptions(uri="test:///default", connect_timeout=3.0)


def test_a_read_only_connection_refuses_changes() -> None:
    with connect(ConnectionOptions("test:///default"), read_only=True) as hypervisor:
        domain = hypervisor.connection.listAllDomains(0)[0]
        with pytest.raises(Failure, match="Cannot stop it: .*forbidden"):
            hypervisor.call("stop it", domain.destroy)


def test_a_resource_that_is_not_there_is_none() -> None:
    with connect(ConnectionOptions("test:///default")) as hypervisor:
        assert hypervisor.find("look it up", hypervisor.connection.lookupByName, "nobody") is None
        with pytest.raises(Failure, match="Cannot define it"):
            hypervisor.find("define it", hypervisor.connection.defineXML, "<domain/>")


def test_a_host_that_refuses_is_named_with_what_to_check() -> None:
    with pytest.raises(Failure, match=r"Cannot connect to qemu\+tcp://127.0.0.1:1/system: .*refused. Check the URI"):
        Hypervisor(ConnectionOptions("qemu+tcp://127.0.0.1:1/system"))


def test_a_host_that_is_silent_costs_its_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    forever = threading.Event()
    monkeypatch.setattr(libvirt, "openAuth", lambda *_args: forever.wait(60))
    with pytest.raises(Failure, match=r"no answer within 0.05 seconds \(connect_timeout\)"):
        Hypervisor(ConnectionOptions("qemu+tcp://silent/system", connect_timeout=0.05))
    forever.set()


def test_a_call_without_an_answer_says_that_it_may_still_take_effect() -> None:
    import threading

    forever = threading.Event()
    with connect(ConnectionOptions("test:///default", call_timeout=0.05)) as hypervisor:
        with pytest.raises(Failure, match=r"did not answer within 0.05 seconds \(call_timeout\). The call may still"):
            hypervisor.call("wait", forever.wait, 60)
        forever.set()


def test_the_login_comes_from_the_options_only() -> None:
    from ansible_collections.kvmmanager.libvirt.plugins.module_utils import _connection

    kinds, answer, _opaque = _connection._login(ConnectionOptions(username="root", password="s3cret"))
    questions = [
        [libvirt.VIR_CRED_AUTHNAME, "user", None, None, None],
        [libvirt.VIR_CRED_PASSPHRASE, "pw", None, None, None],
    ]
    assert libvirt.VIR_CRED_PASSPHRASE in kinds
    assert answer(questions, None) == 0
    assert [question[4] for question in questions] == ["root", "s3cret"]
    _kinds, silent, _opaque = _connection._login(ConnectionOptions())
    assert silent([[libvirt.VIR_CRED_AUTHNAME, "user", None, None, None]], None) == -1
