# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make ansible_collections.kvmmanager.libvirt importable, through Ansible's own loader."""

from __future__ import annotations

import pathlib

import pytest
from ansible.plugins.loader import init_plugin_loader

init_plugin_loader([str(pathlib.Path(__file__).parents[3] / ".cache" / "collections")])


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Let `make integration TARGET=domain` run that target alone."""
    return True if config.getoption("--target") else None
