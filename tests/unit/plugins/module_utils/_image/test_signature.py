# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import pathlib
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import signature

LISTING = b"abc  image.qcow2\n"


class Publisher:
    """A publisher with a key of its own."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700)
        self.gpg("--passphrase", "", "--quick-generate-key", "publisher@example.com", "ed25519", "sign", "never")
        self.keyring = folder / "keyring.gpg"
        self.keyring.write_bytes(self.gpg("--export"))
        self.armoured = folder / "keyring.asc"
        self.armoured.write_bytes(self.gpg("--armor", "--export"))
        listed = self.gpg("--with-colons", "--list-keys").decode()
        self.fingerprint = next(line for line in listed.splitlines() if line.startswith("fpr")).split(":")[9]

    def gpg(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """The output of gpg in a home of its own."""
        command = ["gpg", "--batch", "--quiet", "--homedir", str(self.folder), *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout

    def close(self) -> None:
        """End the agent that gpg started."""
        subprocess.run(["gpgconf", "--homedir", str(self.folder), "--kill", "gpg-agent"], check=True)

    def sign(self, content: bytes, how: str) -> bytes:
        """A signature: ``--detach-sign`` or ``--clear-sign``."""
        return self.gpg("--output", "-", how, stdin=content)


@pytest.fixture(scope="module")
def publisher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    # A short path: gpg's agent listens on a socket in there.
    made = Publisher(tmp_path_factory.mktemp("k") / "p")
    yield made
    made.close()


def refused(listing: bytes, detached: bytes | None, keyring: pathlib.Path, fingerprint: str | None) -> str:
    with pytest.raises(Failure) as failure:
        signature.verify(listing, detached, str(keyring), fingerprint)
    return failure.value.message


def test_a_detached_signature(publisher: Publisher) -> None:
    detached = publisher.sign(LISTING, "--detach-sign")
    found = signature.verify(LISTING, detached, str(publisher.keyring), publisher.fingerprint)
    assert found == LISTING


def test_an_armoured_keyring_does_too(publisher: Publisher) -> None:
    detached = publisher.sign(LISTING, "--detach-sign")
    assert signature.verify(LISTING, detached, str(publisher.armoured), None) == LISTING


def test_only_what_is_inside_a_clear_signature_counts(publisher: Publisher) -> None:
    signed = publisher.sign(LISTING, "--clear-sign")
    wrapped = b"evil  image.qcow2\n" + signed + b"evil  image.qcow2\n"
    assert signature.verify(signed, None, str(publisher.keyring), publisher.fingerprint) == LISTING
    assert b"evil" not in signature.verify(wrapped, None, str(publisher.keyring), None)


def test_a_changed_list_is_refused(publisher: Publisher) -> None:
    detached = publisher.sign(LISTING, "--detach-sign")
    assert "is not good" in refused(LISTING + b"x", detached, publisher.keyring, None)


def test_a_list_without_signature_is_refused(publisher: Publisher) -> None:
    assert "is not good" in refused(LISTING, None, publisher.keyring, None)


def test_another_key_of_the_keyring_is_refused(publisher: Publisher) -> None:
    detached = publisher.sign(LISTING, "--detach-sign")
    message = refused(LISTING, detached, publisher.keyring, "0" * 40)
    assert message == f"The checksum list is signed by {publisher.fingerprint}, not by the publisher's key {'0' * 40}."


def test_a_keyring_without_the_key_is_refused(publisher: Publisher, tmp_path: pathlib.Path) -> None:
    stranger = Publisher(tmp_path / "s")
    detached = stranger.sign(LISTING, "--detach-sign")
    stranger.close()
    assert "is not good" in refused(LISTING, detached, publisher.keyring, None)


def test_a_missing_keyring(publisher: Publisher, tmp_path: pathlib.Path) -> None:
    assert "Cannot read the keyring" in refused(LISTING, b"", tmp_path / "none", None)


def test_a_machine_without_gpgv(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "needs the program gpgv" in refused(LISTING, b"", publisher.keyring, None)


def test_armour_with_and_without_headers() -> None:
    for headers in (b"", b"Version: 1\nComment: a b\n"):
        body = base64.b64encode(b"k" * 60)
        text = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n" + headers + b"\n" + body[:40] + b"\n" + body[40:]
        text += b"\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"
        (block,) = signature._ARMOUR.findall(b"pub  comment\n" + text)
        assert base64.b64decode(block) == b"k" * 60


def test_a_damaged_keyring(publisher: Publisher, tmp_path: pathlib.Path) -> None:
    keyring = tmp_path / "keyring.asc"
    keyring.write_bytes(b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc\n-----END PGP PUBLIC KEY BLOCK-----\n")
    assert refused(LISTING, b"", keyring, None) == f"The keyring {keyring} is damaged. Get the publisher's key again."


def test_a_gpgv_that_hangs(publisher: Publisher, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "gpgv"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _name: str(program))
    monkeypatch.setattr(signature, "_TIMEOUT", 0.1)
    assert "gpgv did not end within 0.1 seconds" in refused(LISTING, b"", publisher.keyring, None)


def test_a_gpgv_that_does_not_run(
    publisher: Publisher, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: str(tmp_path / "none"))
    assert "Cannot check the signature" in refused(LISTING, b"", publisher.keyring, None)
