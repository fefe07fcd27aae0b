# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What libvirt keeps for a domain besides its configuration: snapshots, checkpoints, the memory it was saved with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure, error_code
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt


def find_ties(hypervisor: Hypervisor, domain: Any) -> list[str]:
    """What undefining a persistent domain would lose, in words; nothing for what the driver does not know."""
    known = {
        "snapshots": domain.snapshotNum,
        "checkpoints": domain.listAllCheckpoints,
        "the saved memory of its guest": domain.hasManagedSaveImage,
    }
    return [words for words, read in known.items() if _ask(hypervisor, words, read)]


def has_saved_memory(hypervisor: Hypervisor, domain: Any) -> bool:
    """Whether the next start goes on from memory that was saved, with the configuration of that time."""
    return bool(_ask(hypervisor, "the saved memory of its guest", domain.hasManagedSaveImage))


def _ask(hypervisor: Hypervisor, words: str, read: Callable[[int], Any]) -> Any:
    try:
        return hypervisor.call(f"look whether the domain has {words}", read, 0)
    except Failure as failure:
        if isinstance(failure.__cause__, Exception) and error_code(failure.__cause__) == libvirt.VIR_ERR_NO_SUPPORT:
            return None
        raise
