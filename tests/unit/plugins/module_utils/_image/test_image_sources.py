# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be an image, besides a file."""

from __future__ import annotations

import os
import pathlib
import stat
from types import SimpleNamespace

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import image_file
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.image_file import ImageFile


def test_what_has_no_size_is_refused(tmp_path: pathlib.Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, pathlib.Path("/dev/zero")):
        with pytest.raises(Failure, match=f"{path} is neither a file nor a block device"):
            image_file.inspect(str(path), "raw")


def test_a_block_device_is_as_large_as_its_end_is_far(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device = tmp_path / "device"
    device.write_bytes(bytes(4096))
    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", lambda _path: SimpleNamespace(st_mode=stat.S_IFBLK, st_size=0))
        found = image_file.inspect(str(device), "raw")
    assert found == ImageFile("raw", 4096, 4096)
