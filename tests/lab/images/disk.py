# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Putting a file tree into a bootable disk image, for UEFI with Secure Boot and for BIOS.

Everything is written straight into one file at the partitions' offsets: no loop device, no mount.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from ..run import run

SECTOR = 512
_MIB = 1024 * 1024
_BIOS_START = 1 * _MIB
_ESP_START = 2 * _MIB
_ESP_SIZE = 12 * _MIB
_ROOT_START = _ESP_START + _ESP_SIZE
_GPT_BACKUP = 1 * _MIB
ROOT_LABEL = "rootfs"
# GRUB's own layout (include/grub/i386/pc/boot.h and diskboot.S): where each stage notes where the next one begins.
_BOOT_IMG_KERNEL_SECTOR = 0x5C
_BOOT_CODE_SIZE = 440  # then come the disk's signature and the partition table
_CORE_IMG_FIRST_BLOCKLIST = SECTOR - 12

_GRUB_MODULES = ("biosdisk", "part_gpt", "ext2", "search_label", "normal", "linux", "configfile", "boot")

_FIND_ROOT = f"search.fs_label {ROOT_LABEL} root\nset prefix=($root)/boot/grub\n"
# The signed GRUB looks for this file beside itself; the BIOS one goes on to grub.cfg by itself.
_ESP_GRUB_CFG = f"{_FIND_ROOT}configfile $prefix/grub.cfg\n"


@dataclass(frozen=True)
class BootFiles:
    """What makes a disk bootable, as files of the tree.

    :ivar shim: the signed first loader.
    :ivar grub: the signed GRUB that shim starts.
    :ivar boot_img: GRUB's BIOS boot sector.
    :ivar core_img: the rest of the BIOS GRUB.
    """

    shim: Path
    grub: Path
    boot_img: Path
    core_img: Path

    @classmethod
    def of(cls, system: Path, core_img: Path) -> BootFiles:
        """Return the files where Debian's packages put them in a system."""
        return cls(
            shim=system / "usr/lib/shim/shimx64.efi.signed",
            grub=system / "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
            boot_img=system / "usr/lib/grub/i386-pc/boot.img",
            core_img=core_img,
        )


def grub_core(system: Path) -> Path:
    """Make the BIOS GRUB that reads its settings from the root partition, with the system's own tools."""
    (system / "tmp/find.cfg").write_text(_FIND_ROOT, encoding="ascii")
    command: list[str | Path] = [
        "chroot",
        system,
        "grub-mkimage",
        "-O",
        "i386-pc",
        "-p",
        "/boot/grub",
        "-c",
        "/tmp/find.cfg",
    ]
    run([*command, "-o", "/tmp/core.img", *_GRUB_MODULES])
    (system / "tmp/find.cfg").unlink()
    return system / "tmp/core.img"


def partition_table() -> str:
    """Return the table for sfdisk. The root partition is last, so that it can grow with the disk."""
    return (
        "label: gpt\nunit: sectors\n"
        f"14: start={_BIOS_START // SECTOR}, size={(_ESP_START - _BIOS_START) // SECTOR}, "
        "type=21686148-6449-6E6F-744E-656564454649\n"
        f"15: start={_ESP_START // SECTOR}, size={_ESP_SIZE // SECTOR}, type=uefi\n"
        f"1: start={_ROOT_START // SECTOR}, type=linux\n"
    )


def boot_sector(boot_img: bytes, core_sector: int) -> bytes:
    """Return the code for the first sector, made to load GRUB's core from C(core_sector)."""
    code = bytearray(boot_img[:_BOOT_CODE_SIZE])
    struct.pack_into("<Q", code, _BOOT_IMG_KERNEL_SECTOR, core_sector)
    return bytes(code)


def embedded_core(core_img: bytes, core_sector: int) -> bytes:
    """Return GRUB's core, made to find its own second sector when it is put at C(core_sector)."""
    core = bytearray(core_img)
    struct.pack_into("<Q", core, _CORE_IMG_FIRST_BLOCKLIST, core_sector + 1)
    return bytes(core)


def write_disk(tree: Path, image: Path, size: int, boot: BootFiles) -> None:
    """Write a raw disk image.

    :param tree: what the root file system holds.
    :param size: of the whole disk, in bytes.
    :raises LabError: the tree does not fit, or a tool is missing.
    """
    with image.open("wb") as handle:
        handle.truncate(size)
    run(["sfdisk", "--quiet", image], stdin=partition_table())
    _write_root(tree, image, size)
    _write_esp(image, boot)
    core_sector = _BIOS_START // SECTOR
    with image.open("r+b") as handle:
        handle.write(boot_sector(boot.boot_img.read_bytes(), core_sector))
        handle.seek(_BIOS_START)
        handle.write(embedded_core(boot.core_img.read_bytes(), core_sector))


def _write_root(tree: Path, image: Path, size: int) -> None:
    blocks = (size - _ROOT_START - _GPT_BACKUP) // 1024
    command: list[str | Path] = ["mke2fs", "-q", "-F", "-t", "ext4", "-L", ROOT_LABEL, "-d", tree]
    run([*command, "-E", f"offset={_ROOT_START}", image, f"{blocks}k"], timeout=300)


def _write_esp(image: Path, boot: BootFiles) -> None:
    offset, blocks = _ESP_START // SECTOR, _ESP_SIZE // 1024
    # It would choose the kind of FAT by the size of the whole file.
    run(["mkfs.vfat", "-F", "16", "--offset", str(offset), "-n", "ESP", image, str(blocks)])
    inside = f"{image}@@{_ESP_START}"
    run(["mmd", "-i", inside, "::/EFI", "::/EFI/BOOT", "::/EFI/debian"])
    run(["mcopy", "-i", inside, boot.shim, "::/EFI/BOOT/BOOTX64.EFI"])
    run(["mcopy", "-i", inside, boot.grub, "::/EFI/BOOT/grubx64.efi"])
    settings = image.with_suffix(".grub.cfg")
    settings.write_text(_ESP_GRUB_CFG, encoding="ascii")
    run(["mcopy", "-i", inside, settings, "::/EFI/debian/grub.cfg"])
    settings.unlink()
