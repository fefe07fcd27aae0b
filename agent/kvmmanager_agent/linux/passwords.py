# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passwords of users. They are in no argument, no environment and no message."""

from .. import names
from ..wire import INVALID_PARAMS, SYSTEM_ERROR, UNSUPPORTED, WireError
from . import programs


def set_password(user: str, password: str, crypted: bool) -> None:
    """Give an existing user another password, as crypt(3) makes it when it is ``crypted``."""
    if not password or any(character in password for character in "\n\r"):
        raise WireError(INVALID_PARAMS, "password must have at least one character, and be a single line")
    if crypted and ":" in password:
        raise WireError(INVALID_PARAMS, "a crypted password has no colon")
    program = programs.find("chpasswd")
    if program is None:
        raise WireError(UNSUPPORTED, "the guest has no chpasswd")
    options = ["-e"] if crypted else []
    done = programs.run([program, *options], names.encode(f"{user}:{password}\n"))
    if done.returncode:
        # What it said might repeat what it was told.
        raise WireError(SYSTEM_ERROR, f"chpasswd ended with status {done.returncode}; the guest's log may say why")
