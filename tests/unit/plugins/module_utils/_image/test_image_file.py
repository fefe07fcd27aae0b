# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import struct
import subprocess
from collections.abc import Callable

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import image_file
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.image_file import ImageFile

MakeQcow2 = Callable[..., bytes]
DISK = bytes(510) + b"\x55\xaa" + bytes(1000)


@pytest.fixture
def file(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "image"


def refused(file: pathlib.Path, content: bytes, expected: str | None = None) -> str:
    file.write_bytes(content)
    with pytest.raises(Failure) as failure:
        image_file.inspect(str(file), expected)
    return failure.value.message


def test_qcow2(file: pathlib.Path, qcow2: MakeQcow2) -> None:
    file.write_bytes(qcow2(capacity=3 << 30))
    assert image_file.inspect(str(file)) == ImageFile("qcow2", file.stat().st_size, 3 << 30)
    assert image_file.inspect(str(file), "qcow2").format == "qcow2"


def test_a_raw_disk_is_rounded_up_to_sectors(file: pathlib.Path) -> None:
    file.write_bytes(DISK)
    assert image_file.inspect(str(file)) == ImageFile("raw", 1512, 1536)


def test_a_raw_file_system_needs_to_be_named(file: pathlib.Path) -> None:
    assert "no disk image that is known" in refused(file, bytes(4096))
    assert image_file.inspect(str(file), "raw").format == "raw"


def test_an_error_page_is_no_image(file: pathlib.Path) -> None:
    assert "no disk image that is known" in refused(file, b"<html>" + b" " * 1000)


def test_an_image_must_have_the_expected_format(file: pathlib.Path, qcow2: MakeQcow2) -> None:
    assert "is not qcow2" in refused(file, DISK, "qcow2")
    assert "is qcow2, not raw" in refused(file, qcow2(), "raw")


def test_images_that_name_other_files_are_refused(file: pathlib.Path, qcow2: MakeQcow2) -> None:
    assert "names a backing file" in refused(file, qcow2(backing=b"/etc/shadow"))
    assert "names a backing file" in refused(file, qcow2(version=2, backing=b"/etc/shadow"))
    assert "names an external data file" in refused(file, qcow2(features=4))
    extension = struct.pack(">II", 0x12345678, 3) + bytes(8) + struct.pack(">II", 0x44415441, 11) + b"/etc/shadow"
    assert "names an external data file" in refused(file, qcow2(extensions=extension))


def test_an_extension_after_the_end_does_not_count(file: pathlib.Path, qcow2: MakeQcow2) -> None:
    file.write_bytes(qcow2(extensions=bytes(8) + struct.pack(">II", 0x44415441, 0)))
    assert image_file.inspect(str(file)).format == "qcow2"


@pytest.mark.parametrize(
    ("magic", "name"),
    [(b"KDMV", "vmdk"), (b"# Disk DescriptorFile\n", "vmdk"), (b"vhdxfile", "vhdx"), (b"QED\0", "qed")],
)
def test_other_formats_are_refused_even_as_raw(file: pathlib.Path, magic: bytes, name: str) -> None:
    assert f"is {name}: convert it" in refused(file, magic + DISK[len(magic) :], "raw")


@pytest.mark.parametrize(("magic", "name"), [(b"\xfd7zXZ\0", "xz"), (b"\x1f\x8b\x08", "gzip")])
def test_compressed_images_are_named(file: pathlib.Path, magic: bytes, name: str) -> None:
    assert f"is compressed with {name}" in refused(file, magic + bytes(100))


def test_damaged_and_strange_qcow2(file: pathlib.Path, qcow2: MakeQcow2) -> None:
    assert "cut off" in refused(file, qcow2()[:60])
    assert "of the version 9" in refused(file, qcow2(version=9))
    assert "is encrypted" in refused(file, qcow2(encryption=2))


def test_a_missing_file() -> None:
    with pytest.raises(Failure, match="Cannot read the image /nonexistent: No such file"):
        image_file.inspect("/nonexistent")


def test_images_of_qemu_img(tmp_path: pathlib.Path) -> None:
    """The real thing: what qemu-img makes is understood, what depends on another file is refused."""
    base, overlay, data = (str(tmp_path / name) for name in ("base.qcow2", "overlay.qcow2", "data.qcow2"))
    create = ["qemu-img", "create", "-q", "-f", "qcow2"]
    subprocess.run([*create, base, "10M"], check=True)
    subprocess.run([*create, "-F", "qcow2", "-b", base, overlay], check=True)
    subprocess.run([*create, "-o", f"data_file={tmp_path / 'data.raw'}", data, "10M"], check=True)
    assert image_file.inspect(base).capacity == 10 << 20
    with pytest.raises(Failure, match="a backing file"):
        image_file.inspect(overlay)
    with pytest.raises(Failure, match="an external data file"):
        image_file.inspect(data)
