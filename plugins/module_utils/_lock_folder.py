# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the locks are that keep the processes of one user apart."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure


def lock_folder() -> Path:
    """A folder that this user alone can write into.

    :raises Failure: where it cannot be made, or belongs to somebody else.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    base = Path(runtime) if runtime and os.path.isdir(runtime) else Path(tempfile.gettempdir())
    folder = base / f"kvmmanager-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise Failure(f"Cannot make the folder {folder} for locks: {error.strerror}.") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise Failure(f"{folder} is needed for locks but belongs to somebody else or is open to others. Remove it.")
    return folder
