# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that a host finds in its private folders: settings of a freshly installed Debian hypervisor."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from . import settings, ssh
from .model import host_address
from .network import default_network_xml
from .state import State
from .supervisor import PRIVATE_FOLDERS


def write_host_files(state: State, index: int, root: Path, private: Path) -> None:
    """Write all files of host C(index) into C(private).

    :param root: the host's operating system, whose owners and modes the folders get.
    """
    for folder in PRIVATE_FOLDERS:
        original = root / folder.lstrip("/")
        if original.is_dir():  # else of a package that this machine does not have, so nothing writes there
            _copy_empty(original, private / folder.lstrip("/"))
    host = state.hosts[index]
    addresses = {known.name: host_address(state.number, number) for number, known in enumerate(state.hosts)}
    (private / "etc/hosts").write_text(settings.hosts_file(addresses), encoding="ascii")
    (private / "etc/hostname").write_text(f"{host.name}\n", encoding="ascii")
    etc = private / "etc/libvirt"
    (etc / "libvirtd.conf").write_text(settings.libvirtd_conf(state.name, host, addresses[host.name]), encoding="ascii")
    (etc / "qemu.conf").write_text(settings.qemu_conf(), encoding="ascii")
    _write_defaults(etc, index)
    _copy_filters(root, etc)
    _make_empty_folders(private)
    if host.auth == "sasl":
        (etc / "sasl").mkdir()
        (etc / "sasl/libvirt.conf").write_text(settings.sasl_conf(), encoding="ascii")
    if host.tls:
        from . import tls  # as in lab.py

        tls.write_server_files(state.client, etc, host.name, addresses[host.name])
    if host.ssh:
        ssh.write_server_files(state.client, etc, addresses[host.name])


def _copy_empty(original: Path, copy: Path) -> None:
    copy.mkdir(parents=True)
    known = original.stat()
    os.chown(copy, known.st_uid, known.st_gid)
    copy.chmod(known.st_mode & 0o7777)


def _write_defaults(etc: Path, index: int) -> None:
    """Define the C(default) network and pool, started with the daemon."""
    for folder, text in (
        ("qemu/networks", default_network_xml(index)),
        ("storage", settings.default_pool_xml()),
    ):
        (etc / folder / "autostart").mkdir(parents=True)
        (etc / folder / "default.xml").write_text(text, encoding="ascii")
        (etc / folder / "autostart/default.xml").symlink_to(f"/etc/libvirt/{folder}/default.xml")


def _copy_filters(root: Path, etc: Path) -> None:
    """Copy Debian's network filters; of all that a machine's own /etc/libvirt has, only these belong to nobody."""
    filters = root / "etc/libvirt/nwfilter"
    if filters.is_dir():
        shutil.copytree(filters, etc / "nwfilter")


def _make_empty_folders(private: Path) -> None:
    (private / "var/log/libvirt/qemu").mkdir(parents=True)
    images = private / "var/lib/libvirt/images"
    images.mkdir()
    images.chmod(0o711)
