# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures of publishers' checksum lists, checked with gpgv against a keyring of the user's."""

from __future__ import annotations

import base64
import binascii
import os
import re
import shutil
import subprocess
import tempfile

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import (
    Failure,
    single_line,
)

_ARMOUR = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\n]+: [^\n]*\n)*\r?\n(.*?)"
    rb"(?:\n=[A-Za-z0-9+/]{4}\r?)?\n-----END PGP PUBLIC KEY BLOCK-----",
    re.DOTALL,
)
_TIMEOUT = 60  # seconds; gpgv reads two small files


def verify(listing: bytes, signature: bytes | None, keyring: str, fingerprint: str | None) -> bytes:
    """What of a checksum list is signed by a key of the keyring.

    :param listing: the list as it was downloaded.
    :param signature: its detached signature; None where the list is signed inside.
    :param keyring: path of public keys, binary or with ASCII armour.
    :param fingerprint: of the publisher's key; None accepts every key of the keyring.
    :returns: the signed text: the list itself, or what stands inside the signature.
    :raises Failure: where the signature is not good, or gpgv or the keyring is missing.
    """
    program = shutil.which("gpgv")
    if program is None:
        raise Failure(
            "verify_signature needs the program gpgv on the machine that runs this task: install "
            "gpgv (Debian) or gnupg2 (Fedora), or set verify_signature to false."
        )
    try:
        with tempfile.TemporaryDirectory(prefix="kvmmanager-") as folder:
            command = [program, "--homedir", folder, "--status-fd", "1", "--keyring", _binary_keyring(keyring, folder)]
            return _verify_in(folder, command, listing, signature, fingerprint)
    except OSError as error:
        raise Failure(
            f"Cannot check the signature of the checksum list: {error.strerror}. Look at the folder for temporary "
            f"files and at {program} on the machine that runs this task."
        ) from error


def _verify_in(folder: str, command: list[str], listing: bytes, signature: bytes | None, wanted: str | None) -> bytes:
    signed = os.path.join(folder, "signed")
    _write(signed, listing)
    if signature is not None:
        _write(signed + ".sig", signature)
        _check_signer(_run([*command, signed + ".sig", signed]), wanted)
        return listing
    output = os.path.join(folder, "output")
    _check_signer(_run([*command, "--output", output, signed]), wanted)
    with open(output, "rb") as file:
        return file.read()


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failure(
            f"gpgv did not end within {_TIMEOUT} seconds, so the signature of the checksum list is not checked. "
            "Try again when the machine that runs this task is less busy."
        ) from error
    if done.returncode != 0:
        said = single_line(done.stderr.decode(errors="replace"), 300)
        raise Failure(
            f"The signature of the checksum list is not good; gpgv says: {said}. "
            "Check that keyring holds the publisher's key; do not use the image before it verifies."
        )
    return done.stdout.decode(errors="replace")


def _check_signer(status: str, fingerprint: str | None) -> None:
    """gpgv's status lines: the key that signed comes second, its primary key last."""
    signers = set()
    for line in status.splitlines():
        words = line.split()
        if words[:2] == ["[GNUPG:]", "VALIDSIG"]:
            signers |= {words[2], words[-1]}
    wanted = None if fingerprint is None else re.sub(r"\s", "", fingerprint).upper()
    if not signers or (wanted is not None and wanted not in signers):
        raise Failure(
            f"The checksum list is signed by {' '.join(sorted(signers)) or 'nobody'}, "
            f"not by the publisher's key {wanted}."
        )


def _binary_keyring(keyring: str, folder: str) -> str:
    """The path of the keyring as gpgv reads it: without armour."""
    try:
        with open(keyring, "rb") as file:
            content = file.read()
    except OSError as error:
        raise Failure(f"Cannot read the keyring {keyring}: {error.strerror}.") from error
    blocks = _ARMOUR.findall(content)
    if not blocks:
        return os.path.abspath(keyring)
    path = os.path.join(folder, "keyring.gpg")
    try:
        keys = b"".join(base64.b64decode(block) for block in blocks)
    except binascii.Error as error:
        raise Failure(f"The keyring {keyring} is damaged. Get the publisher's key again.") from error
    _write(path, keys)
    return path


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
