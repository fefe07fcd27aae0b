# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: a hypervisor of libvirt's test driver, without a domain."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import (
    ConnectionOptions,
    Hypervisor,
    connect,
)


@pytest.fixture
def hypervisor(tmp_path: pathlib.Path) -> Iterator[Hypervisor]:
    """An empty host of its own."""
    host = tmp_path / "host.xml"
    host.write_text("<node/>", encoding="utf-8")
    with connect(ConnectionOptions(f"test://{host}")) as opened:
        yield opened
