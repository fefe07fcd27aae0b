# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of a guest through qemu-guest-agent, which can read and write them but knows nothing about them.

What it does not know is asked of the guest's own programs. The scripts here are constant; names are their arguments.
"""

from __future__ import annotations

import hashlib
import posixpath
import stat as modes
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.interface import (
    Command,
    FileFacts,
    GuestError,
    Progress,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.qemu_calls import QemuCalls
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.qemu_programs import (
    PIECE,
    SECONDS,
    decoded,
    execute,
    write,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.transfer import measure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.wording import plain, too_slow
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline

_READ = 1024 * 1024  # bytes read at once; answers of 4 MiB and more get lost in libvirt
_MOST_ENTRIES = 1_000_000

_KINDS = (
    (modes.S_ISREG, "file"),
    (modes.S_ISDIR, "directory"),
    (modes.S_ISLNK, "link"),
    (modes.S_ISFIFO, "fifo"),
    (modes.S_ISSOCK, "socket"),
)
# What a script ends with → the code of PROTOCOL.md.
_CODES = {93: wire.NOT_FOUND, 94: wire.EXISTS, 95: wire.WRONG_TYPE, 96: wire.BAD_CHECKSUM}

_STAT = """
[ -e "$1" ] || [ -L "$1" ] || { echo "it does not exist" >&2; exit 93; }
stat -c '%f %s %u %g %Y' -- "$1" || exit 1
if [ -L "$1" ]; then readlink -- "$1"; elif [ -n "$2" ] && [ -f "$1" ]; then sha256sum < "$1"; fi
"""
_LIST = """
[ -d "$1" ] && ! [ -L "$1" ] || { echo "it is no directory" >&2; exit 95; }
cd -- "$1" && find . -mindepth 1 -maxdepth 1 -printf '%f\\0%y\\0%s\\0%m\\0%U\\0%G\\0%T@\\0%l\\0'
"""
_MKDIR = """
if [ -e "$1" ] || [ -L "$1" ]; then echo "it exists" >&2; exit 94; fi
mkdir -m "$2" -- "$1"
"""
_REMOVE = """
[ -e "$1" ] || [ -L "$1" ] || { echo "it does not exist" >&2; exit 93; }
if [ -d "$1" ] && ! [ -L "$1" ]; then rmdir -- "$1"; else rm -f -- "$1"; fi
"""
_TEMPORARY = """
if [ -d "$1" ] || { [ -e "$1" ] && ! [ -f "$1" ]; }; then echo "it is no regular file" >&2; exit 95; fi
mktemp -- "$2/.guest-XXXXXX"
"""
# Path of the new file, of the old one, the checksum, then mode, owner and group where they are asked for.
_REPLACE = """
fail() { rm -f -- "$1"; exit "$2"; }
[ "$(sha256sum < "$1")" = "$3  -" ] || { echo "its checksum is wrong" >&2; fail "$1" 96; }
mode=$4 owner=$5 group=$6
if [ -e "$2" ]; then
    mode=${mode:-$(stat -c %a -- "$2")} owner=${owner:-$(stat -c %u -- "$2")} group=${group:-$(stat -c %g -- "$2")}
fi
if [ -n "$owner" ]; then chown -- "$owner" "$1" || fail "$1" 1; fi
if [ -n "$group" ]; then chgrp -- "$group" "$1" || fail "$1" 1; fi
chmod -- "${mode:-600}" "$1" || fail "$1" 1
mv -f -- "$1" "$2" || fail "$1" 1
"""


@dataclass(frozen=True)
class Attributes:
    """What a file shall have; None for what the file has that is replaced, else 0600 and root."""

    mode: int | None
    owner: str | None
    group: str | None


def stat(calls: QemuCalls, path: str, sha256: bool, deadline: Deadline | None = None) -> FileFacts | None:
    """See `Guest.stat`."""
    try:
        told = _script(calls, _STAT, f"look at {path}", path, "yes" if sha256 else "", deadline=deadline)
    except GuestError as error:
        if error.code == wire.NOT_FOUND:
            return None
        raise
    first, _end, more = told.decode("utf-8", "surrogateescape").partition("\n")
    try:
        mode, size, uid, gid, mtime = first.split()
        bits = int(mode, 16)
        kind = _kind(bits)
        return FileFacts(
            type=kind,
            size=int(size),
            mode=modes.S_IMODE(bits),
            uid=int(uid),
            gid=int(gid),
            mtime=float(mtime),
            target=more[:-1] if kind == "link" else None,
            sha256=_checksum(more) if kind == "file" and sha256 else None,
        )
    except ValueError:
        raise calls.wrong("stat", "a file's facts") from None


def entries(calls: QemuCalls, path: str, deadline: Deadline | None = None) -> Iterator[tuple[str, FileFacts]]:
    """See `Guest.list`."""
    listed = _script(calls, _LIST, f"list {path}", path, deadline=deadline)
    told = listed.decode("utf-8", "surrogateescape").split("\0")
    rows = [told[begin : begin + 8] for begin in range(0, len(told) - 1, 8)]
    if len(rows) > _MOST_ENTRIES or any(len(row) != 8 or "/" in row[0] or row[0] in ("", ".", "..") for row in rows):
        raise calls.wrong("find", "a directory's names")
    for row in sorted(rows, key=lambda row: row[0].encode("utf-8", "surrogateescape")):
        yield row[0], _entry(calls, row)


def mkdir(calls: QemuCalls, path: str, mode: int, deadline: Deadline | None = None) -> None:
    """See `Guest.mkdir`."""
    _script(calls, _MKDIR, f"make the directory {path}", path, f"{mode:o}", deadline=deadline)


def remove(calls: QemuCalls, path: str) -> None:
    """See `Guest.remove`."""
    _script(calls, _REMOVE, f"remove {path}", path)


def upload(
    calls: QemuCalls, source: BinaryIO, path: str, wanted: Attributes, deadline: Deadline, progress: Progress | None
) -> None:
    """See `Guest.put`."""
    _size, sha256 = measure(source)
    doing = f"take the file {path}"
    told = _script(calls, _TEMPORARY, doing, path, posixpath.dirname(path) or "/")
    beside = told.decode("utf-8", "surrogateescape").rstrip("\n")
    try:
        write(calls, beside, _pieces(calls, source, doing, deadline, progress))
        mode = "" if wanted.mode is None else f"{wanted.mode:o}"
        owner, group = wanted.owner or "", wanted.group or ""
        _script(calls, _REPLACE, doing, beside, path, sha256, mode, owner, group, deadline=deadline)
    except GuestError:
        _script(calls, 'rm -f -- "$1"', f"remove {beside}", beside)
        raise


def download(
    calls: QemuCalls,
    path: str,
    sink: BinaryIO,
    deadline: Deadline,
    progress: Progress | None,
    most: int | None = None,
) -> FileFacts:
    """See `Guest.get`."""
    doing = f"give the file {path}"
    facts = stat(calls, path, True, deadline)
    if facts is None:
        raise GuestError(wire.NOT_FOUND, f"{calls.where.capitalize()} cannot {doing}: it does not exist.")
    if facts.type != "file":
        # The agent would wait for ever for what a named pipe gives.
        raise GuestError(wire.WRONG_TYPE, f"{calls.where.capitalize()} cannot {doing}: it is no regular file.")
    if most is not None and facts.size > most:
        raise GuestError(
            wire.TOO_LARGE,
            f"{calls.where.capitalize()} has {facts.size} bytes in {path}, more than the {most} that it may be.",
        )
    digest = hashlib.sha256()
    size = 0
    for piece in _read(calls, path, facts.size, doing, deadline):
        sink.write(piece)
        digest.update(piece)
        size += len(piece)
        if progress is not None:
            progress(size)
    if (size, digest.hexdigest()) != (facts.size, facts.sha256):
        raise GuestError(
            wire.BAD_CHECKSUM,
            f"The file {path} changed in {calls.where} while it was read. Run the task again when it rests.",
        )
    return facts


def _read(calls: QemuCalls, path: str, size: int, doing: str, deadline: Deadline) -> Iterator[bytes]:
    """At most ``size`` bytes of a file and one piece more, which is of a file that grows."""
    handle = calls.answer("guest-file-open", {"path": path, "mode": "r"}, SECONDS)
    try:
        taken, ended = 0, False
        while not ended and taken <= size:
            _check_time(calls, doing, deadline)
            answer = calls.object("guest-file-read", {"handle": handle, "count": _READ}, SECONDS)
            piece = decoded(calls, "guest-file-read", answer.get("buf-b64", ""))
            if len(piece) > _READ:
                raise calls.wrong("guest-file-read", "what was asked for")
            taken += len(piece)
            ended = answer.get("eof") is True or not piece
            yield piece
    finally:
        calls.answer("guest-file-close", {"handle": handle}, SECONDS)


def _pieces(
    calls: QemuCalls, source: BinaryIO, doing: str, deadline: Deadline, progress: Progress | None
) -> Iterator[bytes]:
    while True:
        piece = source.read(PIECE)
        if not piece:
            return
        _check_time(calls, doing, deadline)
        yield piece
        if progress is not None:
            progress(source.tell())


def _check_time(calls: QemuCalls, doing: str, deadline: Deadline) -> None:
    if deadline.passed:
        raise too_slow(calls.where, doing, deadline.seconds or 0.0)


def _script(calls: QemuCalls, script: str, doing: str, *words: str, deadline: Deadline | None = None) -> bytes:
    """What a constant script prints.

    :param doing: what it is for, to follow "cannot ".
    """
    if not all(words[:1]) or not words[0].startswith("/") or any("\0" in word for word in words):
        raise GuestError(wire.INVALID_PARAMS, f"{calls.where.capitalize()} cannot {doing}: give an absolute path.")
    command = Command(["/bin/sh", "-c", script, "sh", *words])
    ended = execute(calls, command, deadline or Deadline(600), None)
    if ended.stdout_truncated:
        raise GuestError(
            wire.TOO_LARGE,
            f"{calls.where.capitalize()} cannot {doing}: that takes more than qemu-guest-agent can answer at once. "
            "Install kvmmanager-agent.",
        )
    if ended.exit != 0:
        said = plain(ended.stderr.decode("utf-8", "replace")) or "it did not say why"
        code = _CODES.get(ended.exit or 0, wire.SYSTEM_ERROR)
        raise GuestError(code, f"{calls.where.capitalize()} cannot {doing}: {said}.")
    return ended.stdout


def _entry(calls: QemuCalls, row: list[str]) -> FileFacts:
    _name, letter, size, mode, uid, gid, mtime, target = row
    kinds = {"f": "file", "d": "directory", "l": "link", "p": "fifo", "s": "socket"}
    kind = kinds.get(letter, "device")
    try:
        return FileFacts(
            kind, int(size), int(mode, 8), int(uid), int(gid), float(mtime), target if kind == "link" else None
        )
    except ValueError:
        raise calls.wrong("find", "a file's facts") from None


def _kind(bits: int) -> str:
    return next((name for is_kind, name in _KINDS if is_kind(bits)), "device")


def _checksum(told: str) -> str:
    digest = told.partition(" ")[0]
    if len(digest) != 64:
        raise ValueError(digest)
    int(digest, 16)
    return digest
