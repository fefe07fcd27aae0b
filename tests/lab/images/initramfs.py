# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing an initramfs: a cpio archive (format newc) and the drivers for it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import LabError

_CONSOLE = (5, 1)


def write_archive(tree: Path, archive: Path) -> None:
    """Write all of a folder, owned by root, and the console device that the kernel opens for init."""
    with archive.open("wb") as out:
        for number, path in enumerate(sorted(tree.rglob("*")), start=1):
            _write_entry(out, number, str(path.relative_to(tree)), path.lstat().st_mode, _content(path))
        _write_entry(out, 0xFFFFFF, "dev/console", stat.S_IFCHR | 0o600, b"", device=_CONSOLE)
        _write_entry(out, 0, "TRAILER!!!", 0, b"")


def _content(path: Path) -> bytes:
    if path.is_symlink():
        return os.readlink(path).encode()
    return path.read_bytes() if path.is_file() else b""


def _write_entry(
    out: BinaryIO, number: int, name: str, mode: int, content: bytes, device: tuple[int, int] = (0, 0)
) -> None:
    """Write one entry: a header of 13 numbers, the name, and the content, each padded to 4 bytes."""
    raw = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(raw), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + raw
    out.write(head + bytes(-len(head) % 4))
    out.write(content + bytes(-len(content) % 4))


def driver_order(folder: Path, wanted: tuple[str, ...]) -> list[Path]:
    """Return the files of the wanted drivers and of all they need, each after what it needs.

    :param folder: a kernel's modules.
    :raises LabError: there is no such driver.
    """
    files = {path.name.split(".")[0].replace("-", "_"): path for path in folder.rglob("*.ko")}
    ordered: dict[str, Path] = {}

    def add(name: str) -> None:
        if name in ordered:
            return
        if name not in files:
            raise LabError(f"the kernel in {folder} has no driver {name}")
        for needed in needed_drivers(files[name].read_bytes()):
            add(needed)
        ordered[name] = files[name]

    for name in wanted:
        add(name.replace("-", "_"))
    return list(ordered.values())


def needed_drivers(module: bytes) -> Iterator[str]:
    """Yield the names that a driver's own text C(depends=a,b) has."""
    _before, found, rest = module.partition(b"\0depends=")
    if found:
        yield from (name.replace("-", "_") for name in rest.split(b"\0", 1)[0].decode("ascii").split(",") if name)
