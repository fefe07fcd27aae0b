# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the integration runner, and the two hosts that its targets work on."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import tempfile
from collections.abc import Iterator

import pytest

from tests.lab import Lab

TARGETS = pathlib.Path(__file__).parent / "targets"


@dataclasses.dataclass(frozen=True)
class Hosts:
    """The hypervisors that a target may use, and a folder of theirs.

    :ivar first: a URI.
    :ivar second: another one, or the same.
    :ivar scratch: a directory that the tests and both hosts see under the same path.
    """

    first: str
    second: str
    scratch: pathlib.Path


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `make integration TARGET=domain` choose what to run."""
    parser.addoption("--target", default="", help="names of targets, separated by spaces")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each target directory."""
    if "target" not in metafunc.fixturenames:
        return
    present = sorted(path.name for path in TARGETS.iterdir() if (path / "tasks/main.yml").exists())
    chosen = metafunc.config.getoption("target").split() or present
    if unknown := sorted(set(chosen) - set(present)):
        raise pytest.UsageError(f"there is no target {', '.join(unknown)}; choose from: {', '.join(present)}")
    metafunc.parametrize("target", [TARGETS / name for name in chosen], ids=chosen)


@pytest.fixture(scope="session")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    """A lab of our own; or the one that KVMMANAGER_LAB names (see `make lab-up`), or the host of KVMMANAGER_URI."""
    if uri := os.environ.get("KVMMANAGER_URI"):
        yield Hosts(uri, uri, tmp_path_factory.mktemp("scratch"))
        return
    if name := os.environ.get("KVMMANAGER_LAB"):
        yield _hosts_of(Lab.attach(name))
        return
    with Lab(name=f"it{os.getpid()}") as lab:
        yield _hosts_of(lab)


def _hosts_of(lab: Lab) -> Hosts:
    first, second = lab.hosts
    scratch = pathlib.Path(tempfile.mkdtemp(dir=lab.shared))
    scratch.chmod(0o755)
    return Hosts(first.uri, second.uri, scratch)
