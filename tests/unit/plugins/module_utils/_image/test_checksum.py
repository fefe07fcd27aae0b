# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import pathlib

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import checksum
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.checksum import Checksum

A, B, C = "a" * 64, "b" * 64, "c" * 128

GNU = f"{B}  other.qcow2\n{A}  ./image.qcow2\n"
BINARY = f"{A} *image.qcow2\n"
BSD = f"# image.qcow2: 100 bytes\nSHA256 (other.qcow2) = {B}\nSHA256 (image.qcow2) = {A.upper()}\n"
CLEAR_SIGNED = f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nSHA256 (image.qcow2) = {A}\n-----BEGIN PGP\n"


@pytest.mark.parametrize("listing", [GNU, BINARY, BSD, CLEAR_SIGNED])
def test_every_style_is_read(listing: str) -> None:
    assert checksum.find(listing, "image.qcow2", only_file=False) == Checksum("sha256", A)


def test_the_strongest_counts() -> None:
    both = f"{A}  image.qcow2\n{C}  image.qcow2\n"
    assert checksum.find(both, "image.qcow2", only_file=False) == Checksum("sha512", C)


def test_weak_ones_do_not_count() -> None:
    assert checksum.find(f"{'a' * 32}  image.qcow2\n", "image.qcow2", only_file=True) is None
    assert checksum.find(f"{'a' * 40}  image.qcow2\n", "image.qcow2", only_file=True) is None


def test_another_name_counts_only_in_a_list_for_this_file() -> None:
    listing = f"{A}  image-Build16.2.qcow2\n"
    assert checksum.find(listing, "image.qcow2", only_file=False) is None
    assert checksum.find(listing, "image.qcow2", only_file=True) == Checksum("sha256", A)
    assert checksum.find(listing + f"{B}  more.qcow2\n", "image.qcow2", only_file=True) is None


def test_a_file_outside_folders_comes_first() -> None:
    for listing in (f"{B}  other/image.qcow2\n{A}  image.qcow2\n", f"{C}  other/image.qcow2\n{A} *./image.qcow2\n"):
        assert checksum.find(listing, "image.qcow2", only_file=False) == Checksum("sha256", A)
    assert checksum.find(f"{A}  other/image.qcow2\n", "image.qcow2", only_file=False) == Checksum("sha256", A)


def test_a_bare_digest_counts_in_a_list_for_this_file() -> None:
    assert checksum.find(f"{A}\n", "image.qcow2", only_file=True) == Checksum("sha256", A)


def test_a_name_inside_another_does_not_count() -> None:
    assert checksum.find(f"{A}  my-image.qcow2\n{B}  image.qcow2.xz\n", "image.qcow2", only_file=False) is None


def test_what_a_user_writes() -> None:
    assert checksum.parse(f"SHA256: {A.upper()}") == Checksum("sha256", A)
    assert str(checksum.parse(f"sha512:{C}")) == f"sha512:{C}"


@pytest.mark.parametrize("text", ["", A, "sha256:abc", f"sha512:{A}", f"sha256:{'g' * 64}", f"crc32:{A}"])
def test_what_is_no_checksum(text: str) -> None:
    with pytest.raises(Failure, match="is not a checksum. Write sha256:"):
        checksum.parse(text)


@pytest.mark.parametrize("algorithm", ["md5", "sha1"])
def test_forgeable_ones_are_refused(algorithm: str) -> None:
    with pytest.raises(Failure, match=f"{algorithm} can be forged"):
        checksum.parse(f"{algorithm}:{'a' * 32}")


def test_digests_of_a_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    found = checksum.file_digests(str(path), ["sha256", "sha512"])
    assert found["sha256"] == hashlib.sha256(b"content").hexdigest()
    assert found["sha512"] == hashlib.sha512(b"content").hexdigest()
    with pytest.raises(Failure, match="Cannot read .*none: No such file"):
        checksum.file_digests(str(tmp_path / "none"), ["sha256"])
