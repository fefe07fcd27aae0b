# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The .deb, made by dpkg-deb."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import pathlib
import shutil
import textwrap

from . import content

_SCRIPT = """#!/bin/sh
set -e

case "$1" in
{actions})
{body}    ;;
esac
"""
# What dpkg calls the scripts with: https://www.debian.org/doc/debian-policy/ch-maintainerscripts.html
# When an upgrade or removal was begun and broken off, the agent is set going again, too.
_SCRIPTS = {
    "postinst": ("activate", "configure|abort-upgrade|abort-deconfigure|abort-remove"),
    "postrm": ("withdraw", "remove"),
}


def build(tree: pathlib.Path, target: pathlib.Path, version: str) -> pathlib.Path:
    """Package a copy of ``tree``; the file."""
    folder = tree.with_name("debian")
    shutil.copytree(tree, folder)
    version = content.package_version(version)
    changelog = gzip.compress(_changelog(version).encode(), 9, mtime=0)
    content.put(folder, f"/usr/share/doc/{content.NAME}/changelog.gz", changelog, 0o644)
    for name, text in _control_files(folder, version).items():
        content.put(folder, f"/DEBIAN/{name}", text.encode(), 0o755 if name in _SCRIPTS else 0o644)
    content.pin(folder)
    file = target / f"{content.NAME}_{version}_all.deb"
    # Every dpkg reads gzip, and it is the same with any number of processors.
    content.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z9", "--build", folder, file])
    return file


def _control_files(folder: pathlib.Path, version: str) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    size = sum(-(-path.stat().st_size // 1024) for path in files)
    sums = [f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(folder)}\n" for path in files]
    return {
        "control": _control(version, size),
        "conffiles": content.CONFIGURATION + "\n",
        # dpkg --verify wants this algorithm; it protects against damage, not against attackers.
        "md5sums": "".join(line for line in sums if content.CONFIGURATION.lstrip("/") not in line),
        **{name: _script(body, actions) for name, (body, actions) in _SCRIPTS.items()},
    }


def _control(version: str, size: int) -> str:
    fields = {
        "Package": content.NAME,
        "Version": version,
        "Architecture": "all",
        "Maintainer": content.MAINTAINER,
        "Installed-Size": str(size),
        "Depends": "python3 (>= 3.6)",
        "Section": "admin",
        "Priority": "optional",
        "Homepage": content.HOMEPAGE,
        "Description": content.SUMMARY,
    }
    lines = [f"{name}: {value}" for name, value in fields.items()]
    return "\n".join([*lines, *(f" {line}" for line in textwrap.wrap(content.DESCRIPTION, 78))]) + "\n"


def _changelog(version: str) -> str:
    date = datetime.datetime.fromtimestamp(content.DATE, datetime.timezone.utc)
    return (
        f"{content.NAME} ({version}) unstable; urgency=medium\n\n"
        f"  * Made from the collection kvmmanager.libvirt, whose CHANGELOG.md says what is new:\n"
        f"    {content.HOMEPAGE}\n\n"
        f" -- {content.MAINTAINER}  {date:%a, %d %b %Y %H:%M:%S +0000}\n"
    )


def _script(body: str, actions: str) -> str:
    return _SCRIPT.format(actions=textwrap.indent(actions, "    "), body=textwrap.indent(content.script(body), " " * 8))
