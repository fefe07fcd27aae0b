# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Marks of volumes whose content is not complete yet: a tiny volume beside the one that is being written.

Whoever uploads or copies can die, or lose the hypervisor, and then nobody removes the incomplete volume. Its mark
stays, and tells the next run that the volume is incomplete.
"""

from __future__ import annotations

import hashlib
import re
import socket
import time
import uuid
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import parse, text_at

_ENDING = ".uploading"

# Seconds without a write after which the upload of somebody else counts as dead.
_SILENCE = 300


def new_mark(hypervisor: Hypervisor, name: str) -> str:
    """A name for the mark of a volume, which no other upload uses; it tells from where to where that goes."""
    return f"{name}.{_tag(hypervisor)}{uuid.uuid4().hex[:4]}{_ENDING}"


def marks(hypervisor: Hypervisor, pool: Any, name: str) -> list[str]:
    """The names of the marks of a volume that there are; one call."""
    known = hypervisor.call(f"list the volumes of the storage pool '{pool.name()}'", pool.listVolumes)
    pattern = re.compile(re.escape(name) + r"\.[0-9a-f]{8}" + re.escape(_ENDING))
    return sorted(str(found) for found in known if pattern.fullmatch(found))


def require_no_other_upload(hypervisor: Hypervisor, pool: Any, name: str) -> None:
    """Raise `Failure` while somebody else writes the volume: from another machine, or through another hypervisor with
    which this one shares the pool.

    libvirt deletes a volume that is being written without a word (measured with 9.0), and of other hypervisors it knows
    nothing, so the time of the last write has to tell. What this machine began through this hypervisor is dead.
    """
    own = f"{name}.{_tag(hypervisor)}"
    others = [mark for mark in marks(hypervisor, pool, name) if not mark.startswith(own)]
    if not others:
        return
    written = max(_last_write(hypervisor, pool, volume) for volume in (name, *others))
    if abs(time.time() - written) < _SILENCE:
        raise Failure(
            f"The volume '{name}' of the storage pool '{pool.name()}' is being written from another machine or "
            "through another hypervisor. Wait for its end. If that was interrupted, run this task again in "
            f"{_SILENCE // 60} minutes, or remove the volume with state=absent first."
        )


def _tag(hypervisor: Hypervisor) -> str:
    name = hypervisor.call("ask for the name of the hypervisor", hypervisor.connection.getHostname)
    return hashlib.sha256(f"{socket.gethostname()} {name}".encode()).hexdigest()[:4]


def _last_write(hypervisor: Hypervisor, pool: Any, name: str) -> float:
    """When the file of a volume was changed last, in seconds since 1970; 0 where nobody knows."""
    doing = f"read the volume '{name}'"
    volume = hypervisor.find(doing, pool.storageVolLookupByName, name)
    xml = None if volume is None else hypervisor.find(doing, volume.XMLDesc, 0)
    return 0.0 if xml is None else float(text_at(parse(xml), "target/timestamps/mtime") or 0)
