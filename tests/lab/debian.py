# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installing Debian into a folder, from packages alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from .run import run

MIRROR = os.environ.get("KVMMANAGER_DEBIAN_MIRROR", "http://deb.debian.org/debian")
# Not needed to run anything.
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
_TIMEOUT = 1800


def install(
    release: str,
    folder: Path,
    packages: Sequence[str],
    *,
    variant: str = "minbase",
    before: Path | None = None,
    after: Path | None = None,
) -> None:
    """Install packages and what they need into a folder.

    :param variant: of mmdebstrap: C(minbase), or C(extract) to unpack without configuring.
    :param before: a folder to copy over the system before most packages are there.
    :param after: a folder to copy over the system at the end.
    :raises LabError: a package cannot be had, or mmdebstrap fails.
    """
    # In its own namespaces: whatever a package starts or mounts is gone at the end, also when this is killed.
    command: list[str | Path] = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command += ["mmdebstrap", "--mode=root", "--format=directory", f"--variant={variant}"]
    command += [f"--include={','.join(packages)}"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    if before is not None:
        command.append(f'--essential-hook=cp -rT "{before}" "$1"')
    if after is not None:
        command.append(f'--customize-hook=cp -rT "{after}" "$1"')
    run([*command, release, folder, MIRROR], timeout=_TIMEOUT)
