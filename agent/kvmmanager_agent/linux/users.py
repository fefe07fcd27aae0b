# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts that commands run as."""

import grp
import os
import pwd
import sys
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from ..wire import NOT_FOUND, WireError

_POPEN_KNOWS_USERS = sys.version_info >= (3, 9)


class Account(NamedTuple):
    """A user of this machine.

    :ivar groups: all its groups, where it is another one than the agent's.
    """

    name: str
    uid: int
    gid: int
    groups: List[int]
    home: str
    shell: str

    def environment(self) -> Dict[str, str]:
        """What login(1) would set."""
        return {"HOME": self.home, "USER": self.name, "LOGNAME": self.name, "SHELL": self.shell}

    def popen_options(self) -> Dict[str, Any]:
        """What makes `subprocess.Popen` run a command as this user."""
        if _POPEN_KNOWS_USERS:
            return {"user": self.uid, "group": self.gid, "extra_groups": self.groups}
        return {"preexec_fn": self._become()}

    def _become(self) -> Callable[[], None]:
        # Between fork and exec of a process with threads nothing may be imported, locked or looked up: these are
        # bare system calls with values that are known already.
        setgroups, setgid, setuid = os.setgroups, os.setgid, os.setuid
        groups, gid, uid = self.groups, self.gid, self.uid

        def become() -> None:
            setgroups(groups)
            setgid(gid)
            setuid(uid)

        return become


def account(name: Optional[str]) -> Account:
    """The account of a name; without a name, the one that the agent runs as."""
    try:
        entry = pwd.getpwnam(name) if name else pwd.getpwuid(os.geteuid())
    except KeyError:
        if name:
            raise WireError(NOT_FOUND, f"the guest has no user {name}") from None
        return Account("root", os.geteuid(), os.getegid(), [], "/", "/bin/sh")
    # Whoever stays the user that it is needs no groups. To list them asks all sources of accounts, even systemd itself.
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid) if name else []
    home = entry.pw_dir if os.path.isdir(entry.pw_dir) else "/"
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, groups, home, entry.pw_shell or "/bin/sh")


def user_id(name: str) -> int:
    """The number of a user that is named, or given as a number."""
    return _number(name, lambda: pwd.getpwnam(name).pw_uid, "user")


def group_id(name: str) -> int:
    """The number of a group that is named, or given as a number."""
    return _number(name, lambda: grp.getgrnam(name).gr_gid, "group")


def _number(name: str, look_up: Callable[[], int], kind: str) -> int:
    try:
        return look_up()
    except KeyError:
        if name.isdigit() and int(name) < 2**32 - 1:
            return int(name)
        raise WireError(NOT_FOUND, f"the guest has no {kind} {name}") from None
