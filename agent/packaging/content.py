# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in the packages: each file, where it goes, and what both kinds say about themselves."""

from __future__ import annotations

import gzip
import os
import pathlib
import subprocess

NAME = "kvmmanager-agent"
SUMMARY = "guest agent of the Ansible collection kvmmanager.libvirt"
DESCRIPTION = (
    "Lets the host of a virtual machine manage it through a virtio-serial port, without a network: commands, files, "
    "facts, shutdown, and whole Ansible playbooks. The configuration says what the host may do; at first it may read "
    "facts only."
)
HOMEPAGE = "https://github.com/kvmmanager/kvmmanager.libvirt"
# There is no mailing list: problems are reported at the homepage.
MAINTAINER = "kvmmanager contributors <noreply@kvmmanager.invalid>"
CONFIGURATION = "/etc/kvmmanager-agent.json"
# All files have this date, so that the same source gives the same packages: 2026-01-01.
DATE = 1767225600

_FILES = pathlib.Path(__file__).parent / "files"
# Source and mode, by place. Manual pages are compressed on the way.
_PLACES = {
    CONFIGURATION: ("kvmmanager-agent.json", 0o644),
    "/usr/sbin/kvmmanager-agent": ("kvmmanager-agent", 0o755),
    "/usr/lib/systemd/system/kvmmanager-agent.service": ("kvmmanager-agent.service", 0o644),
    "/usr/lib/udev/rules.d/60-kvmmanager-agent.rules": ("60-kvmmanager-agent.rules", 0o644),
    "/usr/share/doc/kvmmanager-agent/copyright": ("copyright", 0o644),
    "/usr/share/man/man5/kvmmanager-agent.json.5.gz": ("kvmmanager-agent.json.5", 0o644),
    "/usr/share/man/man8/kvmmanager-agent.8.gz": ("kvmmanager-agent.8", 0o644),
}
ZIPAPP = "/usr/lib/kvmmanager-agent/kvmmanager-agent.pyz"
PATHS = (*sorted(_PLACES), ZIPAPP)


def lay_out(tree: pathlib.Path, zipapp: pathlib.Path) -> None:
    """Put all files below ``tree`` as they will be in a guest."""
    for place, (name, mode) in _PLACES.items():
        data = (_FILES / name).read_bytes()
        put(tree, place, gzip.compress(data, 9, mtime=0) if place.endswith(".gz") else data, mode)
    # It is not called by name: the launcher in /usr/sbin chooses the interpreter.
    put(tree, ZIPAPP, zipapp.read_bytes(), 0o644)


def put(tree: pathlib.Path, place: str, data: bytes, mode: int) -> None:
    """Write one file, and the folders on its way."""
    target = tree / place.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    target.chmod(mode)


def pin(tree: pathlib.Path) -> None:
    """Give all below ``tree`` the same date, and folders the same mode whatever the umask is."""
    for path in (tree, *tree.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (DATE, DATE))


def script(name: str) -> str:
    """The text of a maintainer script's body, without the licence above it."""
    return (_FILES / name).read_text(encoding="ascii").split("\n\n", 1)[1]


def package_version(version: str) -> str:
    """A version as both package managers sort it: what comes before a release is older than that."""
    return version.replace("-", "~")


def run(command: list[str | pathlib.Path]) -> None:
    """Run a tool that makes a package; SystemExit with what it said when it fails."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(DATE), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise SystemExit(f"{command[0]} is missing; scripts/bootstrap installs it") from None
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
