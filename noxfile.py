# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions of nox: those of antsibull-nox (see antsibull-nox.toml) and five of our own.

`make lint`, `make docs` and `make sanity` run them; `nox --list` names them all.
"""

from __future__ import annotations

import os
import pathlib

import antsibull_nox
import nox

ROOT = pathlib.Path(__file__).parent
COLLECTION = ROOT / ".cache/collections/ansible_collections/kvmmanager/libvirt"

# One list of tool releases for .venv and for all sessions.
os.environ.setdefault("PIP_CONSTRAINT", str(ROOT / "scripts/constraints.txt"))

antsibull_nox.load_antsibull_nox_toml()


@nox.session(python=False)
def types(session: nox.Session) -> None:
    """Check the types with mypy, which needs the packages of .venv."""
    # Through .cache/collections a file has the name that it is imported by.
    session.run("mypy", str(COLLECTION / "plugins"))
    session.run("mypy", "tests", "scripts", "benchmarks", "noxfile.py")
    # The agent is a package of its own, and its tests have the name of ours.
    with session.chdir("agent"):
        session.run("mypy", "--config-file", str(ROOT / "pyproject.toml"), ".")


@nox.session(python=False)
def sanity(session: nox.Session) -> None:
    """Run ansible-test sanity on this machine, without a container."""
    session.run("python", "-m", "scripts.sanity", *session.posargs)


@nox.session
def oldest_core(session: nox.Session) -> None:
    """Run the unit tests of the plugins on the oldest ansible-core that meta/runtime.yml allows."""
    # The constraints name the newest one.
    environment = {"PIP_CONSTRAINT": ""}
    libraries = ("libvirt-python", "jmespath", "netaddr", "pycdlib")
    tools = ("pytest", "pytest-xdist", "hypothesis", "jsonschema")
    session.install("ansible-core==2.18.*", *libraries, *tools, env=environment)
    collections = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections")}
    session.run("python", "-m", "pytest", "--quiet", "--numprocesses=2", "tests/unit/plugins", env=collections)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation with antsibull-docs and Sphinx; any warning fails."""
    session.install("antsibull-docs", "ansible-core", "ansible-pygments", "myst-parser", "sphinx")
    session.run("python", "-m", "scripts.build_docs", *session.posargs)


@nox.session(default=False)
def changelog(session: nox.Session) -> None:
    """Turn the fragments in changelogs/ into the release that galaxy.yml names."""
    session.install("antsibull-changelog", "ansible-core")
    session.run("antsibull-changelog", *(session.posargs or ["release"]))
