# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.integration.targets.cloud_image.files.image_server import ImageServer


@pytest.fixture
def server(tmp_path: pathlib.Path) -> Iterator[ImageServer]:
    """An HTTP server of the folder ``published`` of the test."""
    folder = tmp_path / "published"
    folder.mkdir()
    with ImageServer(folder) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def qcow2() -> Callable[..., bytes]:
    """Makes the beginning of a qcow2 image, with what a test wants to be wrong in it."""

    def make(
        capacity: int = 1 << 30,
        version: int = 3,
        backing: bytes = b"",
        encryption: int = 0,
        features: int = 0,
        extensions: bytes = b"",
        padding: int = 0,
    ) -> bytes:
        head = b"QFI\xfb" + struct.pack(">I", version)
        head += struct.pack(">QI", 4096 if backing else 0, len(backing))
        head += struct.pack(">IQI", 16, capacity, encryption)
        head += bytes(72 - len(head)) + struct.pack(">QQQII", features, 0, 0, 4, 104)
        head += extensions + bytes(8)
        return head + bytes(4096 - len(head)) + backing + bytes(padding)

    return make
