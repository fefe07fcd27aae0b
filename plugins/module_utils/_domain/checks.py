# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that do not go with each other or with the domain; said before anything is changed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._domain.lookup import Current
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

# What libvirt takes for a disk: a kind, then letters.
_TARGET = re.compile(r"(fd|hd|sd|vd|xvd|ubd)[a-z]+")
_FIRST_PORT = {"vnc": 5900, "spice": 1}  # VNC counts its displays from there
_LAST_PORT = 65535
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
    _check_values(params)
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


def _check_values(params: dict[str, Any]) -> None:
    """Whether the values are such as libvirt can have: it would blame the XML, which the user has not written."""
    if re.search(r"[\r\n]", params["title"] or ""):
        raise Failure("title: a title is one line; put more into description.")
    for option in ("disks", "cdroms", "interfaces"):
        for item in params[option] or ():
            _check_order(option, item.get("boot_order"))
            _check_target(option, item.get("target"))
    for item in params["graphics"] or ():
        _check_screen(item)
    for name, value in (params["labels"] or {}).items():
        if value is None:  # as an option that is not named, it would go without a word
            raise Failure(
                f"labels: '{name}' is null. Give it a value, which may be an empty text, or leave it out: labels that "
                "are not listed are removed."
            )


def _check_order(option: str, order: int | None) -> None:
    if order is not None and order < 1:
        raise Failure(f"{option}: boot_order counts from 1; it cannot be {order}.")


def _check_target(option: str, target: str | None) -> None:
    if target is not None and not _TARGET.fullmatch(target):
        raise Failure(f"{option}: '{target}' is no target; choose one such as vda, sda or hda.")


def _check_screen(screen: dict[str, Any]) -> None:
    port, listen = screen.get("port"), screen.get("listen")
    kind, first = screen["type"], _FIRST_PORT[screen["type"]]
    if port is not None and port != -1 and not first <= port <= _LAST_PORT:
        raise Failure(
            f"graphics: {kind} cannot have port {port}; choose one from {first} to {_LAST_PORT}, or -1, with which "
            "libvirt chooses."
        )
    if listen is not None and listen.split() != [listen]:
        raise Failure("graphics: listen needs an address of the hypervisor; 0.0.0.0 stands for all of them.")
