# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host behind a relay that counts the calls, and modules run in this process."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible.plugins.loader import init_plugin_loader

from tests.lab import Host, Lab
from tests.lab.relay import Relay

init_plugin_loader([str(pathlib.Path(__file__).parents[3] / ".cache" / "collections")])

RunModule = Callable[..., dict[str, Any]]


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Let `make integration TARGET=domain` run that target alone."""
    return True if config.getoption("--target") else None


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    """A host of this module's own."""
    with Lab(name=f"calls{os.getpid()}", hosts=[Host("h1", release="bookworm")]) as lab:
        yield lab.hosts[0].uri


@pytest.fixture(scope="module")
def relay(uri: str) -> Iterator[Relay]:
    """The way to that host which counts."""
    with Relay(uri) as counting:
        yield counting


@pytest.fixture(scope="module")
def run(relay: Relay) -> RunModule:
    """Run a module with options on that host, by way of the relay; its result, also when it fails."""

    def run_module(name: str, /, **options: Any) -> dict[str, Any]:
        module = importlib.import_module(f"ansible_collections.kvmmanager.libvirt.plugins.modules.{name}")
        told = io.StringIO()
        given = patch_module_args({"uri": relay.uri, **options})
        with given, contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
            module.main()
        result: dict[str, Any] = json.loads(told.getvalue())
        return result

    return run_module
