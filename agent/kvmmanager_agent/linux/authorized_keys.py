# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which SSH keys may log in as a user: ~/.ssh/authorized_keys.

The folder belongs to the user, who can put anything there at any time. So nothing in it is looked up by name twice,
no link is followed, and what is written is a new file that takes the old one's place.
"""

import base64
import binascii
import contextlib
import os
import re
import stat
from typing import Iterator, List, Optional, Tuple

from .. import names
from ..wire import INVALID_PARAMS, NOT_FOUND, TOO_LARGE, WRONG_TYPE, WireError
from . import programs
from .users import Account

_FOLDER = b".ssh"
_FILE = b"authorized_keys"
_NEW = b".kvmmanager-authorized_keys.new"
_MOST = 1024 * 1024  # bytes of the file
_OPEN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KIND = re.compile(r"^(ssh-|ecdsa-|sk-ssh-|sk-ecdsa-|webauthn-sk-)[A-Za-z0-9@._-]+$")
# Words as sshd(8) splits them: blanks inside double quotes belong to an option. Only LF ends a line there, and only
# space and tab are blanks, not all that Unicode has; a CR is what an editor of another system leaves.
_WORD = re.compile(r'(?:[^ \t\r\n"]|"(?:[^"\\]|\\.)*")+')
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


class NoFolder(Exception):
    """The user has no ~/.ssh."""


def listed(account: Account) -> List[str]:
    """The lines that have keys."""
    try:
        with _folder(account) as folder:
            return [line.rstrip("\r") for line in _read(folder, account) if identity(line)]
    except NoFolder:
        return []


def added(account: Account, keys: List[str]) -> int:
    """Add lines whose key is not there yet, with whatever options; how many that were."""
    wanted = _checked(keys)
    with _folder(account, create=True) as folder:
        lines = _read(folder, account)
        known = {identity(line) for line in lines}
        new = []
        for key, line in wanted:
            if key not in known:
                known.add(key)
                new.append(line)
        if new:
            _write(folder, account, lines + new)
        return len(new)


def removed(account: Account, keys: List[str]) -> int:
    """Remove the lines that have these keys, whatever their options and comments; how many that were."""
    unwanted = {key for key, _line in _checked(keys)}
    try:
        with _folder(account) as folder:
            lines = _read(folder, account)
            kept = [line for line in lines if identity(line) not in unwanted]
            if len(kept) < len(lines):
                _write(folder, account, kept)
            return len(lines) - len(kept)
    except NoFolder:
        return 0


def identity(line: str) -> Optional[Tuple[str, bytes]]:
    """Type and content of the key on a line; None where there is none."""
    words = _WORD.findall(line)
    if not words or words[0].startswith("#"):
        return None
    for kind, blob in zip(words[:2], words[1:3]):
        if _KIND.match(kind):
            content = _decoded(blob)
            # RFC 4253, 6.6: the content begins with the type again.
            name = kind.encode("ascii")
            return (kind, content) if content.startswith(len(name).to_bytes(4, "big") + name) else None
    return None


def _decoded(blob: str) -> bytes:
    try:
        return base64.b64decode(blob, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _checked(keys: List[str]) -> List[Tuple[Tuple[str, bytes], str]]:
    found = []
    for key in keys:
        line = key.strip(" \t\r\n")
        known = identity(line)
        if known is None or _CONTROL.search(line):
            raise WireError(INVALID_PARAMS, f"keys must hold public keys of SSH, one each, which {line[:40]!r} is not")
        found.append((known, line))
    return found


@contextlib.contextmanager
def _folder(account: Account, create: bool = False) -> Iterator[int]:
    """Open ~/.ssh; `NoFolder` where it is missing and not to be made."""
    if account.home == "/" and account.uid:
        raise WireError(NOT_FOUND, f"{account.name} has no home folder")
    # The way to the home is the administrator's, so links in it are followed; from there on none is.
    home = os.open(names.encode(account.home), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _check_owner(home, account, "the home")
        if create:
            _make(home, account)
        try:
            folder = os.open(_FOLDER, os.O_RDONLY | os.O_DIRECTORY | _OPEN, dir_fd=home)
        except FileNotFoundError:
            raise NoFolder from None
        except OSError as error:
            raise WireError(WRONG_TYPE, f"{account.home}/.ssh is not a folder: {error.strerror}") from None
        try:
            _check_owner(folder, account, ".ssh")
            yield folder
        finally:
            os.close(folder)
    finally:
        os.close(home)


def _make(home: int, account: Account) -> None:
    try:
        os.mkdir(_FOLDER, 0o700, dir_fd=home)
    except FileExistsError:
        return
    folder = os.open(_FOLDER, os.O_RDONLY | os.O_DIRECTORY | _OPEN, dir_fd=home)
    try:
        os.fchown(folder, account.uid, account.gid)
    finally:
        os.close(folder)
    _relabel(f"{account.home}/.ssh")


def _read(folder: int, account: Account) -> List[str]:
    try:
        handle = os.open(_FILE, os.O_RDONLY | _OPEN, dir_fd=folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise WireError(WRONG_TYPE, f"authorized_keys cannot be opened: {error.strerror}") from None
    with os.fdopen(handle, "rb") as stream:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise WireError(WRONG_TYPE, "authorized_keys is not a regular file with this one name")
        _check_owner(handle, account, "authorized_keys")
        content = stream.read(_MOST + 1)
    if len(content) > _MOST:
        raise WireError(TOO_LARGE, f"authorized_keys has more than {_MOST} bytes")
    lines = names.decode(content).split("\n")
    return lines if lines[-1] else lines[:-1]


def _write(folder: int, account: Account, lines: List[str]) -> None:
    content = names.encode("".join(line + "\n" for line in lines))
    if len(content) > _MOST:
        raise WireError(TOO_LARGE, f"authorized_keys would have more than {_MOST} bytes")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_NEW, dir_fd=folder)
    handle = os.open(_NEW, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _OPEN, 0o600, dir_fd=folder)
    with os.fdopen(handle, "wb") as stream:
        os.fchown(handle, account.uid, account.gid)
        stream.write(content)
        stream.flush()
        os.fsync(handle)
    os.rename(_NEW, _FILE, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)
    _relabel(f"{account.home}/.ssh/authorized_keys")


def _check_owner(handle: int, account: Account, what: str) -> None:
    """Refuse what sshd would not trust either: what others than the user and root could change."""
    found = os.fstat(handle)
    if found.st_uid not in (account.uid, 0) or found.st_mode & 0o022:
        raise WireError(WRONG_TYPE, f"{what} of {account.name} belongs to another user, or others can write to it")


def _relabel(path: str) -> None:
    """With SELinux, sshd reads only what is labelled for it."""
    program = programs.find("restorecon")
    if program and os.path.exists("/sys/fs/selinux/enforce"):
        programs.run([program, path])
