# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""community.libvirt, which a user would pick instead, and this collection beside it: one Ansible for both.

It is inside the PyPI package ansible, which is installed into a virtual environment of its own under .cache.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]
COLLECTIONS = ROOT / ".cache" / "collections"
_VENV = ROOT / ".cache" / "bench-venv"
_PACKAGES = ("ansible>=12", "libvirt-python", "lxml", "netaddr", "jmespath", "pycdlib")


def program(name: str) -> str:
    """The path of an Ansible program of the environment, which is made when it is not there yet."""
    done = _VENV / ".ready"
    if not done.exists():
        print(f"installing {', '.join(_PACKAGES)} into {_VENV.relative_to(ROOT)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(_VENV)], check=True)
        subprocess.run([str(_VENV / "bin/pip"), "install", "--quiet", *_PACKAGES], check=True)
        done.touch()
    return str(_VENV / "bin" / name)


def environment(folder: pathlib.Path) -> dict[str, str]:
    """The environment of an Ansible process: none of the user's settings, this tree as the collection."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    settings = folder / "ansible.cfg"
    plugins = ROOT / "benchmarks"
    settings.write_text(f"[defaults]\nlocalhost_warning = false\ninventory_plugins = {plugins}\n", encoding="utf-8")
    return {
        **kept,
        "ANSIBLE_CONFIG": str(settings),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "LC_ALL": "C.UTF-8",
    }


def versions() -> dict[str, str]:
    """What was measured against what."""
    script = "import ansible.release, importlib.metadata as m; print(ansible.release.__version__, m.version('ansible'))"
    core, package = subprocess.run(
        [program("python"), "-c", script], check=True, capture_output=True, text=True
    ).stdout.split()
    (manifest,) = _VENV.glob("lib/python*/site-packages/ansible_collections/community/libvirt/MANIFEST.json")
    community = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"]
    return {"ansible-core": core, "ansible (PyPI)": package, "community.libvirt": community}
