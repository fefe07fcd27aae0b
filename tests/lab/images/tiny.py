# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tiny guest: Debian's kernel and one Python process (:mod:`.tiny_init`), up in seconds even when emulated."""

from __future__ import annotations

import gzip
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from ..cache import REPOSITORY, cached, remove_tree
from ..debian import LEFT_OUT, install
from ..requirements import check_for_images
from ..run import run
from .disk import BootFiles, grub_core, write_disk
from .initramfs import driver_order, write_archive

RELEASE = "bookworm"
# Python's hash seed would wait for randomness; panic=-1 reboots at once.
CMDLINE = "console=ttyS0 quiet panic=-1 PYTHONHASHSEED=0 random.trust_cpu=on"
_DISK_SIZE = 128 * 1024 * 1024
_TIMEOUT = 300
_PACKAGES = (
    "linux-image-cloud-amd64",
    "python3",
    "busybox-static",
    "grub-pc-bin",
    "grub-efi-amd64-signed",
    "shim-signed",
)
_DRIVERS = (
    "virtio_pci",
    "virtio_console",
    "virtio_blk",
    "virtio_scsi",
    "sd_mod",
    "sr_mod",
    "virtio_net",
    "virtio_balloon",
    "virtio_rng",
    "evdev",
    "button",
)
_LIBRARIES = ("libc.so.6", "libm.so.6", "libz.so.1*", "libexpat.so.1*", "libffi.so.8*", "ld-linux-x86-64.so.2")
_NOT_COPIED = ("test", "pydoc_data", "turtle.py", "__pycache__")
# What programs look up who they are in.
_ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n",
    "etc/group": "root:x:0:\nuser:x:1000:\n",
}
_GRUB_CFG = f"set timeout=0\nlinux /vmlinuz {CMDLINE}\ninitrd /initrd.img\nboot\n"
_UDHCPC = """#!/bin/busybox sh
case "$1" in
deconfig) busybox ip address flush dev "$interface" ;;
bound|renew)
  busybox ip address replace "$ip/$mask" dev "$interface"
  [ -z "$router" ] || busybox ip route replace default via "${router%% *}" dev "$interface"
  [ "$1" = renew ] || echo "tiny: $interface has $ip" ;;
esac
"""


@dataclass(frozen=True)
class Tiny:
    """The files of the tiny guest. Do not write to them.

    :ivar kernel: for C(<kernel>).
    :ivar initrd: for C(<initrd>).
    :ivar cmdline: for C(<cmdline>).
    :ivar disk: the same as a qcow2 disk that boots with BIOS and UEFI.
    """

    kernel: Path
    initrd: Path
    cmdline: str
    disk: Path


def tiny() -> Tiny:
    """Return the tiny guest, building it the first time.

    :raises LabError: it cannot be built.
    """
    recipe = {
        "release": RELEASE,
        "packages": _PACKAGES,
        "left_out": [LEFT_OUT, _NOT_COPIED],
        "drivers": _DRIVERS,
        "libraries": _LIBRARIES,
        "init": _init_source(),
        "texts": [_GRUB_CFG, _UDHCPC, _ACCOUNTS],
        "size": _DISK_SIZE,
        "version": 2,  # raise it when the code here or in disk.py and initramfs.py makes something else
    }
    folder = cached("images", "tiny", recipe, _build, "a guest that boots in seconds, about 30 s")
    return Tiny(folder / "vmlinuz", folder / "initrd.img", CMDLINE, folder / "tiny.qcow2")


def tiny_with_agent(folder: Path, configuration: str = '{"profile": "full"}') -> Tiny:
    """Return the tiny guest with our own agent in it, as this tree has it; C(disk) is without it.

    The kernel unpacks archives that stand one after the other, so the agent comes in one of its own.

    :param folder: where to write its initrd.
    :param configuration: of the agent, as JSON.
    """
    plain = tiny()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        more, archive = Path(scratch, "more"), Path(scratch, "more.img")
        more.mkdir()
        run([sys.executable, REPOSITORY / "agent/build.py", more / "kvmmanager-agent"], timeout=_TIMEOUT)
        (more / "kvmmanager-agent.json").write_text(configuration, encoding="utf-8")
        write_archive(more, archive)
        initrd = folder / "initrd-with-agent.img"
        initrd.write_bytes(plain.initrd.read_bytes() + archive.read_bytes())
    return replace(plain, initrd=initrd)


def _init_source() -> str:
    # The kernel needs the first line to start it; in this tree it is no program.
    return "#!/usr/bin/python3 -S\n" + Path(__file__).with_name("tiny_init.py").read_text(encoding="utf-8")


def _build(folder: Path) -> None:
    check_for_images()
    system, ram, disk = folder / "system", folder / "ram", folder / "disk"
    install(RELEASE, system, _PACKAGES, variant="extract")
    (kernel,) = (system / "boot").glob("vmlinuz-*")
    shutil.copyfile(kernel, folder / "vmlinuz")
    _fill_ram(system, ram)
    write_archive(ram, folder / "initrd.img")
    _write_disk_image(folder, system, disk)
    for tree in (system, ram, disk):
        remove_tree(tree)


def _fill_ram(system: Path, ram: Path) -> None:
    """Collect what the guest's memory holds: init, Python, busybox and the drivers."""
    libraries = ram / "lib/x86_64-linux-gnu"
    for name in (
        "bin",
        "dev",
        "etc",
        "proc",
        "sys",
        "tmp",
        "drivers",
        "usr/bin",
        "usr/lib",
        libraries.relative_to(ram),
    ):
        (ram / name).mkdir(parents=True)
    (ram / "lib64").symlink_to("lib/x86_64-linux-gnu")
    for name, text in (("init", _init_source()), ("udhcpc.sh", _UDHCPC)):
        (ram / name).write_text(text, encoding="utf-8")
        (ram / name).chmod(0o755)
    for name, text in _ACCOUNTS.items():
        (ram / name).write_text(text, encoding="ascii")
    shutil.copy(system / "bin/busybox", ram / "bin/busybox")
    for folder in (system / "lib/x86_64-linux-gnu", system / "usr/lib/x86_64-linux-gnu"):
        for library in (found for pattern in _LIBRARIES for found in folder.glob(pattern)):
            shutil.copy(library, libraries / library.name)
    (python,) = (system / "usr/bin").glob("python3.??")
    shutil.copy(python, ram / "usr/bin/python3")
    _copy_python_library(system, python.name, ram / "usr/lib")
    drivers = driver_order(system / "lib/modules", _DRIVERS)
    for driver in drivers:
        shutil.copy(driver, ram / "drivers" / driver.name)
    (ram / "drivers/order").write_text("\n".join(driver.name for driver in drivers), encoding="ascii")


def _copy_python_library(system: Path, python: str, target: Path) -> None:
    """Compile the standard library with the Python that will read it, and copy only the result."""
    inside = system / "tmp/library"
    shutil.copytree(system / "usr/lib" / python, inside, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    run(["chroot", system, python, "-m", "compileall", "-q", "-b", "/tmp/library"], timeout=_TIMEOUT)
    shutil.copytree(inside, target / python, ignore=shutil.ignore_patterns("*.py"))


def _write_disk_image(folder: Path, system: Path, disk: Path) -> None:
    """Write the guest as a disk that starts the same kernel and initramfs."""
    (disk / "boot/grub").mkdir(parents=True)
    (disk / "boot/grub/grub.cfg").write_text(_GRUB_CFG, encoding="ascii")
    shutil.copyfile(folder / "vmlinuz", disk / "vmlinuz")
    # GRUB reads slowly, above all emulated: less to read is worth the unpacking.
    (disk / "initrd.img").write_bytes(gzip.compress((folder / "initrd.img").read_bytes(), mtime=0))
    raw = folder / "disk.raw"
    write_disk(disk, raw, _DISK_SIZE, BootFiles.of(system, grub_core(system)))
    run(["qemu-img", "convert", "-c", "-O", "qcow2", raw, folder / "tiny.qcow2"], timeout=_TIMEOUT)
    raw.unlink()
