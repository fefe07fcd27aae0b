# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Methods that an administrator uses: consistent snapshots, the clock, keys and passwords."""

import time
from typing import Any, Dict

from .freezer import FREEZER
from .linux import authorized_keys, clock, passwords, users
from .params import Param, flag, number, optional, text, words
from .registry import method

# Databases and journals stand still meanwhile; a host that needs longer does something else.
LONGEST_FREEZE = 600
_USER = Param(text(256))
_KEYS = Param(words(100))
_FREEZE = {"mounts": optional(words(1000)), "thaw_after": optional(number(0.1, LONGEST_FREEZE), 60.0)}


@method("fs_freeze", "full", _FREEZE)
def fs_freeze(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """Bring file systems to a consistent state and keep all writers waiting, until fs_thaw or a time is over."""
    job.subject = " ".join(params["mounts"] or [])
    points, thaw_at = FREEZER.freeze(job, params["mounts"], params["thaw_after"])
    return {"mounts": points, "thaw_at": round(thaw_at, 3)}


@method("fs_thaw", "full", urgent=True)
def fs_thaw(job: Any, _params: Dict[str, Any]) -> Dict[str, Any]:
    """Let writers go on; whether the file systems had been frozen until now."""
    mounts, held = FREEZER.thaw(job)
    return {"mounts": mounts, "held": held}


@method("set_time", "full", {"time": Param(number(0, 2**33))})
def set_time(_job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """Set the clock, and the hardware clock where there is one."""
    hardware = clock.set_clock(params["time"])
    return {"time": time.time(), "hardware": hardware}


@method("ssh_keys_list", "full", {"user": _USER})
def ssh_keys_list(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """The keys that may log in as a user."""
    job.subject = params["user"]
    return {"keys": authorized_keys.listed(users.account(params["user"]))}


@method("ssh_keys_add", "full", {"user": _USER, "keys": _KEYS})
def ssh_keys_add(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """Let keys log in as a user."""
    job.subject = params["user"]
    return {"added": authorized_keys.added(users.account(params["user"]), params["keys"])}


@method("ssh_keys_remove", "full", {"user": _USER, "keys": _KEYS})
def ssh_keys_remove(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """Let keys no longer log in as a user."""
    job.subject = params["user"]
    return {"removed": authorized_keys.removed(users.account(params["user"]), params["keys"])}


@method(
    "set_password",
    "full",
    {"user": _USER, "password": Param(text(1024)), "crypted": optional(flag, False)},
)
def set_password(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """Give a user another password."""
    job.subject = params["user"]
    passwords.set_password(users.account(params["user"]).name, params["password"], params["crypted"])
    return {}
