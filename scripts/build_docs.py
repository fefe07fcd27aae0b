# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the guides in docs/ and the reference of the collection as one site; any warning fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from scripts.worktree import ROOT, copy_worktree

TREE = ROOT / ".cache/docs/tree"
SITE = ROOT / ".cache/docs/html"

# The same patterns stand in docs/docsite/conf.py.
GUIDES = ("*.md", "docs/*.md", "docs/*/*.md", "agent/*.md", "roles/*/README.md")

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
    shutil.rmtree(TREE, ignore_errors=True)
    copy_worktree(TREE)
    if status := write_reference():
        return status
    write_index()
    shutil.rmtree(SITE, ignore_errors=True)
    settings = ["-c", str(ROOT / "docs/docsite")]
    sphinx = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-E", "-W", "--keep-going"]
    status = subprocess.run([*sphinx, *settings, str(TREE), str(SITE)], check=False).returncode
    if status == 0:
        print(f"the documentation is at {SITE / 'index.html'}")
    return status


def write_reference() -> int:
    """Let antsibull-docs write the pages of modules, plugins and roles; its exit status."""
    command = ["antsibull-docs", "collection", "--use-current", "--fail-on-error"]
    collections = str(ROOT / ".cache/collections")
    return subprocess.run(
        [*command, "--dest-dir", str(TREE), "kvmmanager.libvirt"],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": collections},
        check=False,
    ).returncode


def write_index() -> None:
    """The first page, which lists every guide there is."""
    paths = [path for pattern in GUIDES for path in TREE.glob(pattern)]
    lines = "\n".join(f"   {path.relative_to(TREE).with_suffix('')}" for path in sorted(paths))
    (TREE / "index.rst").write_text(INDEX.format(guides=lines), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
