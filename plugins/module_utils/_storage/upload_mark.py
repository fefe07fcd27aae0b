# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Marks of uploads that have not ended: a tiny volume beside the one that is being written.

Whoever uploads can die, or lose the hypervisor, and then nobody removes the incomplete volume. Its mark stays, and
tells the next run that the volume is incomplete.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor

_ENDING = ".uploading"


def new_mark(name: str) -> str:
    """A name for the mark of a volume, which no other upload uses."""
    return f"{name}.{uuid.uuid4().hex[:8]}{_ENDING}"


def marks(hypervisor: Hypervisor, pool: Any, name: str) -> list[str]:
    """The names of the marks of a volume that there are; one call."""
    known = hypervisor.call(f"list the volumes of the storage pool '{pool.name()}'", pool.listVolumes)
    pattern = re.compile(re.escape(name) + r"\.[0-9a-f]{8}" + re.escape(_ENDING))
    return sorted(str(found) for found in known if pattern.fullmatch(found))
