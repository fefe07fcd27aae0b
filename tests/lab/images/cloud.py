# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The full cloud image: Debian 12 as its cloud team makes it, from packages, where no image can be downloaded.

It boots with UEFI, Secure Boot and BIOS, and takes its settings from cloud-init's NoCloud.
"""

from __future__ import annotations

from pathlib import Path

from ..cache import cached, remove_tree
from ..debian import LEFT_OUT, install
from ..requirements import check_for_images
from ..run import run
from .disk import ROOT_LABEL, BootFiles, grub_core, write_disk

RELEASE = "bookworm"
_SIZE = 2 * 1024**3
_BUILD_TIMEOUT = 1800
_PACKAGES = (
    "linux-image-cloud-amd64",
    "systemd-sysv",
    "systemd-resolved",
    "udev",
    "dbus",
    "cloud-init",
    "cloud-guest-utils",
    "fdisk",
    "e2fsprogs",
    "netplan.io",
    "iproute2",
    "qemu-guest-agent",
    "openssh-server",
    "python3",
    "sudo",
    "ca-certificates",
    "grub-efi-amd64-signed",
    "shim-signed",
    "grub-pc-bin",
)
_GRUB_CFG = f"""set timeout=0
linux /vmlinuz root=LABEL={ROOT_LABEL} ro console=tty0 console=ttyS0 quiet
initrd /initrd.img
boot
"""
# Written before the kernel is installed: a small initramfs, for the disks that a libvirt guest has.
_BEFORE = {
    "etc/initramfs-tools/conf.d/lab": "MODULES=list\nCOMPRESS=gzip\n",
    "etc/initramfs-tools/modules": "virtio_pci\nvirtio_blk\nvirtio_scsi\nsd_mod\next4\ncrc32c_generic\n",
}
_AFTER = {
    "etc/fstab": f"LABEL={ROOT_LABEL} / ext4 errors=remount-ro 0 1\n",
    "etc/hostname": "localhost\n",
    "etc/machine-id": "",
    "boot/grub/grub.cfg": _GRUB_CFG,
    # One kind of key: an RSA key alone takes an emulated guest many seconds.
    # Debian's default locale is not in a small installation, and cloud-init would end with an error.
    "etc/cloud/cloud.cfg.d/90_lab.cfg": (
        "datasource_list: [NoCloud, None]\nssh_genkeytypes: [ed25519]\nlocale: C.UTF-8\n"
    ),
}
# Work of a machine that lives long; an emulated guest would do it while the tests wait.
_MASKED = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "dpkg-db-backup.timer",
)


def cloud() -> Path:
    """Return the qcow2 file of the cloud image, building it the first time. Do not write to it.

    :raises LabError: it cannot be built.
    """
    recipe = {
        "release": RELEASE,
        "packages": _PACKAGES,
        "left_out": LEFT_OUT,
        "files": [_BEFORE, _AFTER],
        "masked": _MASKED,
        "size": _SIZE,
        "version": 1,  # raise it when the code here or in disk.py makes something else
    }
    return (
        cached("images", "cloud", recipe, _build, "a Debian 12 cloud image, about 2 minutes") / "debian-12-cloud.qcow2"
    )


def _build(folder: Path) -> None:
    check_for_images()
    tree, raw = folder / "tree", folder / "disk.raw"
    _install(folder, tree)
    core = grub_core(tree).rename(folder / "core.img")
    for name in _MASKED:
        (tree / "etc/systemd/system" / name).symlink_to("/dev/null")
    for key in (tree / "etc/ssh").glob("ssh_host_*"):
        key.unlink()  # each guest makes its own
    write_disk(tree, raw, _SIZE, BootFiles.of(tree, core))
    convert = ["qemu-img", "convert", "-c", "-O", "qcow2", "-o", "compression_type=zstd"]
    run([*convert, raw, folder / "debian-12-cloud.qcow2"], timeout=_BUILD_TIMEOUT)
    raw.unlink()
    core.unlink()
    remove_tree(tree)


def _install(folder: Path, tree: Path) -> None:
    """Install the packages and the settings into C(tree)."""
    before, after = folder / "before", folder / "after"
    for target, files in ((before, _BEFORE), (after, _AFTER)):
        for name, text in files.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text(text, encoding="ascii")
    install(RELEASE, tree, _PACKAGES, before=before, after=after)
    remove_tree(before)
    remove_tree(after)
