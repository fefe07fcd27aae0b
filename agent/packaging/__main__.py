# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the guest agent as a zipapp, a .deb and a .rpm.

In the folder ``agent``: ``python -m packaging TARGET``. The same source gives the same bytes.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import shutil
import sys
import tempfile

from build import build as build_zipapp

from kvmmanager_agent import VERSION

from . import content, debian, redhat


def main() -> int:
    """Build them and say how large they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=pathlib.Path, help="the folder to write to")
    parser.add_argument("--version", default=VERSION, help="instead of the agent's own, to test an upgrade")
    parser.add_argument(
        "--role", type=pathlib.Path, help="the folder that gets the packages under names without version"
    )
    options = parser.parse_args()
    if not re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?", options.version):
        parser.error(f"{options.version} is no version such as 1.2.3 or 1.2.3-beta.1")
    for file in build_all(options.target, options.version, options.role):
        print(f"{file}: {file.stat().st_size} bytes")
    return 0


def build_all(target: pathlib.Path, version: str, role: pathlib.Path | None) -> list[pathlib.Path]:
    """Build everything into ``target``; what was built."""
    target.mkdir(parents=True, exist_ok=True)
    zipapp = target / "kvmmanager-agent.pyz"
    build_zipapp(zipapp, version)
    with tempfile.TemporaryDirectory() as scratch:
        tree = pathlib.Path(scratch) / "tree"
        content.lay_out(tree, zipapp)
        packages = [debian.build(tree, target, version), redhat.build(tree, target, version)]
    if role:
        role.mkdir(parents=True, exist_ok=True)
        for package in packages:
            shutil.copyfile(package, role / f"{content.NAME}{package.suffix}")
    return [zipapp, *packages]


if __name__ == "__main__":
    sys.exit(main())
