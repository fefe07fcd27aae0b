# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How full the local file systems are."""

import contextlib
import os
from typing import Any, Dict, List

from . import mounts


def disk_usage() -> List[Dict[str, Any]]:
    """Each local file system once, at its first mount point; sizes in bytes.

    ``available`` is what users can still take, ``free`` counts root's reserve as well.
    """
    found: Dict[str, Dict[str, Any]] = {}
    for mount in mounts.local():
        if mount.number in found:
            continue
        with contextlib.suppress(OSError):
            found[mount.number] = {
                "mount": mount.point,
                "device": mount.device,
                "type": mount.kind,
                "read_only": mount.read_only,
                **_usage(mount.point),
            }
    return list(found.values())


def _usage(mount_point: str) -> Dict[str, int]:
    usage = os.statvfs(mount_point)
    return {
        "size": usage.f_blocks * usage.f_frsize,
        "free": usage.f_bfree * usage.f_frsize,
        "available": usage.f_bavail * usage.f_frsize,
        "inodes": usage.f_files,
        "inodes_free": usage.f_ffree,
    }
