# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The memory of cloud_image while it uploads: a 10 GiB image, against one of 10 MiB.

The large image is sparse, as raw images are: each GiB of it begins with 32 MiB of data. The goal: the peak of the
process is at most 30 MiB higher.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

from benchmarks.figure import Figure
from benchmarks.memory import peak_of
from tests.lab import Host, Lab

MIB = 1024**2
LIMIT = 30  # MiB

_MODULE = """
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.kvmmanager.libvirt.plugins.modules import cloud_image
with patch_module_args(json.loads(sys.argv[1])):
    cloud_image.main()
"""


def run() -> list[Figure]:
    """The figures of this file."""
    with Lab(name=f"bench{os.getpid()}", hosts=[Host("h1")]) as lab:
        pool = lab.shared / "pool"
        pool.mkdir()
        subprocess.run(
            ["virsh", "-q", "-c", lab["h1"].uri, "pool-create-as", "images", "dir", "--target", str(pool)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        small = _peak(lab["h1"].uri, lab.shared, 10 * MIB)
        large = _peak(lab["h1"].uri, lab.shared, 10 * 1024 * MIB)
    name = "peak memory above that of 10 MiB while 10 GiB are uploaded"
    return [Figure(name, max(large - small, 0.0), LIMIT, "MiB")]


def _peak(uri: str, folder: pathlib.Path, size: int) -> float:
    """The peak of the memory of one task that uploads an image of that size, in MiB."""
    image = folder / f"{size}.raw"
    _make_image(image, size)
    options = {"uri": uri, "path": str(image), "pool": "images", "volume": image.name, "cache_dir": str(folder)}
    peak, done = peak_of(_MODULE, json.dumps(options))
    result = json.loads(done.stdout)
    if not result.get("changed"):
        raise RuntimeError(f"the upload did not work: {result.get('msg', done.stdout)}")
    return peak


def _make_image(path: pathlib.Path, size: int) -> None:
    block = b"\xa5" * MIB
    with path.open("wb") as file:
        for start in range(0, size, 1024 * MIB):
            file.seek(start)
            for _number in range(min(32, (size - start) // MIB)):
                file.write(block)
        file.truncate(size)
        file.seek(510)
        file.write(b"\x55\xaa")  # as a partition table has it
