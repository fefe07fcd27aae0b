# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that do not go with each other or with the domain; said before anything is changed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Current
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

_OF_REMOVAL = ("remove_disks", "nvram", "tpm_state")


def check_removal(current: Current, name: str | None, ties: Iterable[str], force: bool) -> None:
    """Whether the domain that was found is the one to remove, and can be.

    :param ties: what libvirt keeps for the domain and loses with it, from `find_ties`.
    :raises Failure: when it is another domain than the name says, or something ties it.
    """
    if name is not None and name != current.name:
        raise Failure(
            f"The domain {current.uuid} is called '{current.name}', not '{name}', so it is not removed. Correct the "
            "name or the uuid, or leave one of them out."
        )
    tied = " and ".join(ties)
    if tied and not force:
        raise Failure(
            f"The domain '{current.name}' has {tied}, which would be lost. Nothing was changed. Delete that first, or "
            "set force=true to let it go with the domain."
        )


def check_options(params: dict[str, Any], running: bool, final_state: str) -> None:
    """Whether every option that the task names has a meaning for a domain that is to be there.

    :param running: whether the domain runs now.
    :param final_state: the state at the end of the task.
    :raises Failure: for the first that has none.
    """
    for option in _OF_REMOVAL:
        if params[option]:
            raise Failure(f"{option} says what goes with a domain that is removed: it needs state=absent.")
    if params["wait_for"] and final_state != "running":
        raise Failure(f"wait_for waits for a running guest, but the domain is {final_state}: set state=running.")
    if params["allow_restart"] and params["apply"] != "auto":
        raise Failure("allow_restart=true needs apply=auto: a restart brings the stored configuration to life.")
    if params["apply"] == "live" and not (running and final_state != "stopped"):
        raise Failure("apply=live changes a running domain only, and this one is stopped or shall be. Use apply=auto.")


def check_wait_for(params: dict[str, Any]) -> None:
    """Whether a domain that is to be removed is not waited for.

    :raises Failure: when it is.
    """
    if params["wait_for"]:
        raise Failure("wait_for waits for a running guest: leave it out with state=absent.")
