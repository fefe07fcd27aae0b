# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a domain is in its state.

Each virDomainState has an enumeration of reasons of its own
(https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainState). Their names are taken from libvirt-python's
constants, so that the reasons of a newer libvirt are known too.
"""

from __future__ import annotations

import functools

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import libvirt

_STATES = ("NOSTATE", "RUNNING", "BLOCKED", "PAUSED", "SHUTDOWN", "SHUTOFF", "CRASHED", "PMSUSPENDED")
# Constants of other enumerations that begin like one of these.
_NOT_REASONS = ("VIR_DOMAIN_PMSUSPENDED_DISK_", "VIR_DOMAIN_SHUTDOWN_")
_NO_REASON = "unknown"


def reason_word(state: int, reason: int) -> str:
    """The name of a state's reason in lower case: ``booted``, ``from_snapshot``, ``ioerror`` …

    :param state: a virDomainState.
    :param reason: its reason, as ``virDomainGetState`` and the statistics ``state.reason`` tell it.
    """
    return _table().get((state, reason), _NO_REASON)


@functools.cache
def _table() -> dict[tuple[int, int], str]:
    constants = [name for name in dir(libvirt) if not name.startswith(_NOT_REASONS)]
    return {
        (getattr(libvirt, f"VIR_DOMAIN_{state}"), getattr(libvirt, name)): name[len(f"VIR_DOMAIN_{state}_") :].lower()
        for state in _STATES
        for name in constants
        if name.startswith(f"VIR_DOMAIN_{state}_")
    }
