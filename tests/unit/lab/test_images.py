# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guests' images are made of."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.lab import LabError
from tests.lab.images import disk, initramfs


def entries(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Read a cpio archive the way the kernel does: mode and content by name."""
    found: dict[str, tuple[int, bytes]] = {}
    offset = 0
    while True:
        fields = [int(archive[offset + 6 + 8 * i : offset + 14 + 8 * i], 16) for i in range(13)]
        assert archive[offset : offset + 6] == b"070701"
        name = archive[offset + 110 : offset + 110 + fields[11] - 1].decode()
        content = (offset + 110 + fields[11] + 3) // 4 * 4
        if name == "TRAILER!!!":
            return found
        found[name] = (fields[1], archive[content : content + fields[6]])
        offset = (content + fields[6] + 3) // 4 * 4


def test_archive(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin/tool").write_bytes(b"12345")
    (tree / "bin/tool").chmod(0o755)
    (tree / "link").symlink_to("bin/tool")
    initramfs.write_archive(tree, tmp_path / "archive")
    found = entries((tmp_path / "archive").read_bytes())
    assert list(found) == ["bin", "bin/tool", "link", "dev/console"]
    assert found["bin/tool"] == (0o100755, b"12345")
    assert found["link"] == (0o120777, b"bin/tool")
    assert found["dev/console"][0] == 0o020600


def write_driver(folder: Path, name: str, *needed: str) -> None:
    (folder / f"{name}.ko").write_bytes(b"ELF\0license=GPL\0depends=" + ",".join(needed).encode() + b"\0name=x\0")


def test_drivers_come_after_what_they_need(tmp_path: Path) -> None:
    write_driver(tmp_path, "virtio_net", "net_failover", "virtio-ring")
    write_driver(tmp_path, "net_failover", "failover")
    write_driver(tmp_path, "failover")
    write_driver(tmp_path, "virtio-ring")
    order = initramfs.driver_order(tmp_path, ("virtio_net", "virtio_ring"))
    assert [path.stem for path in order] == ["failover", "net_failover", "virtio-ring", "virtio_net"]


def test_missing_driver(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no driver evdev"):
        initramfs.driver_order(tmp_path, ("evdev",))


def test_driver_that_needs_nothing() -> None:
    assert list(initramfs.needed_drivers(b"\0depends=\0name=x\0")) == []


def test_boot_sector_leaves_the_partition_table_alone() -> None:
    code = disk.boot_sector(bytes(512), core_sector=2048)
    assert len(code) == 440
    assert struct.unpack_from("<Q", code, 0x5C) == (2048,)


def test_core_finds_its_second_sector() -> None:
    core = disk.embedded_core(bytes(1024), core_sector=2048)
    assert len(core) == 1024
    assert struct.unpack_from("<Q", core, 512 - 12) == (2049,)


def test_root_partition_is_last_so_that_it_can_grow() -> None:
    starts = [
        (int(line.partition("start=")[2].partition(",")[0]), line.partition(":")[0])
        for line in disk.partition_table().splitlines()
        if "start=" in line
    ]
    assert max(starts)[1] == "1"
