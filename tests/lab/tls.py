# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates of a lab: one authority, one client, one server certificate a host."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .client import ClientFiles

_LIFE = datetime.timedelta(days=30)


def write_client_files(client: ClientFiles) -> None:
    """Make the authority and the client's certificate, under the names that libvirt looks for."""
    client.pki.mkdir(mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("kvmmanager lab authority")
    builder = _builder(name, key).issuer_name(name)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(sign_certificates=True), critical=True)
    _write_certificate(client.pki / "cacert.pem", builder.sign(key, hashes.SHA256()))
    _write_key(client.ca_key, key)
    _issue(client, client.pki, "client", [], ExtendedKeyUsageOID.CLIENT_AUTH)


def write_server_files(client: ClientFiles, etc: Path, name: str, address: str) -> None:
    """Give a host its certificate, valid for its name and its address, and the authority that clients must have."""
    folder = etc / "pki"
    folder.mkdir(mode=0o700)
    (folder / "cacert.pem").write_bytes((client.pki / "cacert.pem").read_bytes())
    names: list[x509.GeneralName] = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address(address))]
    _issue(client, folder, "server", names, ExtendedKeyUsageOID.SERVER_AUTH)


def _issue(
    client: ClientFiles, folder: Path, role: str, names: list[x509.GeneralName], use: x509.ObjectIdentifier
) -> None:
    """Write ROLEcert.pem and ROLEkey.pem, signed by the lab's authority."""
    authority = x509.load_pem_x509_certificate((client.pki / "cacert.pem").read_bytes())
    authority_key = serialization.load_pem_private_key(client.ca_key.read_bytes(), password=None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(f"kvmmanager lab {role}"), key).issuer_name(authority.subject)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(sign_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    _write_certificate(folder / f"{role}cert.pem", builder.sign(authority_key, hashes.SHA256()))
    _write_key(folder / f"{role}key.pem", key)


def _builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    # A little in the past: the clock may be set back while the tests run.
    start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)
    builder = x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(start).not_valid_after(start + _LIFE)


def _key_usage(sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=not sign_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _write_certificate(file: Path, certificate: x509.Certificate) -> None:
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    file.touch(mode=0o600)
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
