# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the guides in docs/ and the reference of the collection as one site; any warning fails."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]
TREE = ROOT / ".cache/docs/tree"
SITE = ROOT / ".cache/docs/html"

INDEX = """\
kvmmanager.libvirt
==================

.. toctree::
   :caption: Guides
   :maxdepth: 1

{guides}

.. toctree::
   :caption: Reference
   :maxdepth: 2

   collections/index
"""


def main() -> int:
    """Build the site; 0 when there was no warning."""
    source = make_tree()
    write_reference(source)
    write_index(source)
    shutil.rmtree(SITE, ignore_errors=True)
    settings = ["-c", str(source / "docsite")]
    sphinx = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-E", "-W", "--keep-going"]
    status = subprocess.run([*sphinx, *settings, str(source), str(SITE)], check=False).returncode
    if status == 0:
        print(f"the documentation is at {SITE / 'index.html'}")
    return status


def make_tree() -> pathlib.Path:
    """A copy of docs/ beside links to everything that its guides may link to; the copy's path."""
    shutil.rmtree(TREE, ignore_errors=True)
    shutil.copytree(ROOT / "docs", TREE / "docs")
    for path in ROOT.iterdir():
        if path.name != "docs" and not path.name.startswith("."):
            (TREE / path.name).symlink_to(path)
    return TREE / "docs"


def write_reference(source: pathlib.Path) -> None:
    """Let antsibull-docs turn the documentation of modules, plugins and roles into pages."""
    command = ["antsibull-docs", "collection", "--use-current", "--fail-on-error"]
    collections = str(ROOT / ".cache/collections")
    subprocess.run(
        [*command, "--dest-dir", str(source), "kvmmanager.libvirt"],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections},
        check=True,
    )


def write_index(source: pathlib.Path) -> None:
    """The first page, which lists every guide there is."""
    guides = sorted(path.relative_to(source).with_suffix("") for path in source.rglob("*.md"))
    lines = "\n".join(f"   {guide}" for guide in guides)
    (source / "index.rst").write_text(INDEX.format(guides=lines), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
