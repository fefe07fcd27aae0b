# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Saving a volume as a file on the machine that the task runs on: the option ``dest``."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import Hypervisor
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import checksum as checksums
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._plan import Change, Plan
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.permissions import clean_mode
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.volume_content import (
    file_mode,
    same_content,
    save,
    set_file_mode,
    verify_file,
)


def add_save(plan: Plan, hypervisor: Hypervisor, volume: Any, params: dict[str, Any]) -> None:
    """Append to the plan what makes ``dest`` a copy of the volume.

    :raises Failure: for a folder that does not exist, or options that cannot be read.
    """
    shown = params["dest"]
    path = os.path.realpath(shown)  # else the file would take the place of a link to one
    mode = None if params["mode"] is None else clean_mode(params["mode"], "mode")
    checksum = None if params["checksum"] is None else checksums.parse(params["checksum"])
    _require_file(path, shown)
    present = file_mode(path)
    if present is None or _is_outdated(hypervisor, volume, params):
        # What a guest has on its disk is nobody else's business.
        chosen = mode or present or "0600"
        plan.changes.append(Change("dest", None if present is None else f"{shown} with other content", shown))
        plan.add(f"save the volume as {shown}", lambda hv: save(hv, volume, path, chosen, checksum))
        return
    verify_file(params["checksum"], path)
    if mode not in (None, present):
        plan.changes.append(Change("mode", present, mode))
        plan.add(f"change the permissions of {shown}", lambda _hv: set_file_mode(path, str(mode)))


def _require_file(path: str, shown: str) -> None:
    """Refuse a place where no file can be, or where something else would have to make way: a device, say."""
    if os.path.isdir(path) or not os.path.isdir(os.path.dirname(path)):
        raise Failure(f"dest: {shown} cannot be a file: give the path of a file in a folder that exists.")
    if os.path.exists(path) and not os.path.isfile(path):
        raise Failure(f"dest: {shown} is no file but a device or the like, and is not replaced. Give another path.")


def _is_outdated(hypervisor: Hypervisor, volume: Any, params: dict[str, Any]) -> bool:
    if params["overwrite"] == "different":
        return not same_content(hypervisor, volume, params["pool"], params["dest"])
    return bool(params["overwrite"] == "always")
