# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways to log in to a lab's hosts."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import ConnectionOptions, connect
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from tests.lab import Host, Lab, LabError, settings
from tests.lab.cache import REPOSITORY

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


def test_tls_without_the_client_certificate_is_refused(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "cacert.pem").write_bytes((lab.client.pki / "cacert.pem").read_bytes())
    uri = lab["open12"].uri_for("tls").partition("?")[0]
    with pytest.raises(libvirt.libvirtError, match="TLS") as caught:
        libvirt.open(f"{uri}?pkipath={tmp_path}")
    assert "cacert.pem" not in str(caught.value)


def test_what_was_not_asked_for_is_not_offered(lab: Lab) -> None:
    with pytest.raises(LabError, match="does not offer 'libssh'"):
        lab["open12"].uri_for("libssh")


def test_client_files_are_for_root_alone(lab: Lab) -> None:
    assert lab.client.folder.stat().st_mode & 0o077 == 0


@pytest.fixture(scope="module")
def ways(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ConnectionOptions]:
    """Our own options for each way into a host, all of them right."""
    open12, closed13, client = lab["open12"].address, lab["closed13"].address, lab.client
    # An ssh that knows the hosts, but no key.
    program = tmp_path_factory.mktemp("client") / "ssh"
    options = f"-F none -o UserKnownHostsFile={client.known_hosts} -o IdentitiesOnly=yes"
    program.write_text(f'#!/bin/sh\nexec ssh {options} "$@"\n', encoding="utf-8")
    program.chmod(0o700)
    login: dict[str, Any] = {"username": settings.SASL_USER, "password": settings.SASL_PASSWORD}
    pki, key, known = str(client.pki), str(client.ssh_key), str(client.known_hosts)
    return {
        "sasl": ConnectionOptions(f"qemu+tcp://{closed13}/system", **login),
        "sasl over tls": ConnectionOptions(f"qemu+tls://{closed13}/system", tls_pki_path=pki, **login),
        "tls": ConnectionOptions(f"qemu+tls://{open12}/system", tls_pki_path=pki),
        "ssh": ConnectionOptions(f"qemu+ssh://root@{open12}/system?command={program}", ssh_key_file=key),
        "libssh": ConnectionOptions(
            f"qemu+libssh://root@{open12}/system?sshauth=privkey", ssh_key_file=key, ssh_known_hosts=known
        ),
    }


@pytest.mark.parametrize("way", ["sasl", "sasl over tls", "tls", "ssh", "libssh"])
def test_the_options_of_a_connection_lead_in(ways: dict[str, ConnectionOptions], way: str) -> None:
    with connect(ways[way], read_only=True) as hypervisor:
        assert hypervisor.connection.getHostname() in ("open12", "closed13")


@pytest.mark.parametrize(
    ("way", "wrong", "advice"),
    [
        ("sasl", {"password": "wrong"}, "Check username and password of this connection."),
        ("sasl", {"password": None}, "The daemon asks for a login: give username and password."),
        ("sasl over tls", {"password": "wrong"}, "Check username and password of this connection."),
        ("tls", {"tls_pki_path": "stranger"}, "Check the certificates of this connection: cacert.pem,"),
        ("tls", {"tls_pki_path": "/nonexistent"}, "Check the certificates of this connection: cacert.pem,"),
        ("ssh", {"ssh_key_file": "stranger"}, "the SSH key of this connection (ssh_key_file)."),
        ("libssh", {"ssh_key_file": "stranger"}, "the SSH key of this connection (ssh_key_file)."),
        ("libssh", {"ssh_known_hosts": os.devnull}, "Check the key of the host, and add it to the known hosts"),
    ],
)
def test_a_wrong_option_is_named(
    lab: Lab, ways: dict[str, ConnectionOptions], tmp_path: Path, way: str, wrong: dict[str, Any], advice: str
) -> None:
    """A stranger is a key of its own, or a folder that has the authority's certificate and no client's."""
    stranger = tmp_path / "stranger"
    if wrong.get("ssh_key_file") == "stranger":
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(stranger)], check=True)
    elif "stranger" in wrong.values():
        stranger.mkdir()
        (stranger / "cacert.pem").write_bytes((lab.client.pki / "cacert.pem").read_bytes())
    given: dict[str, Any] = {name: str(stranger) if value == "stranger" else value for name, value in wrong.items()}
    with pytest.raises(Failure) as caught, connect(dataclasses.replace(ways[way], **given)):
        pass
    assert caught.value.message.startswith(f"Cannot connect to {ways[way].uri}: ")
    assert advice in caught.value.message
    assert settings.SASL_PASSWORD not in caught.value.message


def test_the_inventory_goes_every_way(lab: Lab, ways: dict[str, ConnectionOptions], tmp_path: Path) -> None:
    for host in ("open12", "closed13"):
        with connect(ways["sasl" if host == "closed13" else "tls"]) as hypervisor:
            hypervisor.connection.defineXML(
                f"<domain type='qemu'><name>of-{host}</name><memory>65536</memory><os><type>hvm</type></os></domain>"
            )
    names = ("uri", "username", "password", "tls_pki_path", "ssh_key_file", "ssh_known_hosts")
    connections = [
        {"alias": way.replace(" ", "-"), **{name: value for name in names if (value := getattr(options, name))}}
        for way, options in ways.items()
    ]
    connections.append({"alias": "refused", "uri": ways["sasl"].uri, "username": "operator", "password": "wrong"})
    source = tmp_path / "fleet.libvirt.yml"
    content = {"plugin": "kvmmanager.libvirt.libvirt", "connections": connections}
    source.write_text(json.dumps(content), encoding="utf-8")
    hypervisors, warnings = list_inventory(source)
    # A domain that is seen several ways is one domain, of the first way.
    assert hypervisors == {"of-closed13": "sasl", "of-open12": "tls"}
    assert "Check username and password of this connection." in warnings
    for way in ("ssh", "libssh", "sasl over tls"):
        content["connections"] = [item for item in connections if item["alias"] == way.replace(" ", "-")]
        source.write_text(json.dumps(content), encoding="utf-8")
        assert list(list_inventory(source)[0].values()) == [way.replace(" ", "-")]


def list_inventory(source: Path) -> tuple[dict[str, str], str]:
    """The hypervisor of each host that ansible-inventory lists, and the warnings."""
    program = Path(sys.executable).with_name("ansible-inventory")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment = {**kept, "ANSIBLE_COLLECTIONS_PATH": str(REPOSITORY / ".cache/collections"), "LC_ALL": "C.UTF-8"}
    command = [str(program), "--inventory", str(source), "--list", "--export"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    told = {name: values["libvirt_hypervisor"] for name, values in json.loads(done.stdout)["_meta"]["hostvars"].items()}
    hypervisors = {
        name: value["__ansible_unsafe"] if isinstance(value, dict) else value for name, value in told.items()
    }
    return hypervisors, " ".join(done.stderr.split())
