# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Methods about files: what they are, small pieces of them, and whole transfers."""

import base64
import binascii
import errno
import heapq
import os
import stat
from typing import Any, Dict, List

from . import names, wire
from .linux import paths, users
from .params import Param, flag, integer, optional, text
from .registry import method
from .transfer import Download, Upload, hash_of

_MOST = 2**62
_LONGEST_LISTING = 80 * 1024  # bytes of entries in one answer, which must fit into a line
_PATH = Param(text())
_MODE = optional(integer(0, 0o7777))


def _readable(job: Any) -> paths.Roots:
    return paths.Roots(job.policy.read, "read")


def _writable(job: Any) -> paths.Roots:
    return paths.Roots(job.policy.write, "change")


@method("file_stat", "files", {"path": _PATH, "sha256": optional(flag, False)})
def file_stat(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """What a path is, without following a link."""
    path = job.subject = params["path"]
    roots = _readable(job)
    if roots.has(path):
        with roots.folder(path) as handle:
            return _facts(os.fstat(handle))
    with roots.parent(path) as (folder, name):
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        result = _facts(found)
        if stat.S_ISLNK(found.st_mode):
            result["target"] = names.decode(os.readlink(name, dir_fd=folder))
    if params["sha256"]:
        with roots.file(path, os.O_RDONLY) as handle:
            result.update(_facts(os.fstat(handle)), sha256=hash_of(job, handle).hexdigest())
    return result


@method("file_list", "files", {"path": _PATH, "after": optional(text(), ""), "limit": optional(integer(1, 1000), 1000)})
def file_list(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """The entries of a directory in the order of their names, from after a name on."""
    path = job.subject = params["path"]
    with _readable(job).folder(path) as folder:
        return _entries(folder, names.encode(params["after"]), params["limit"])


@method("file_mkdir", "files", {"path": _PATH, "mode": _MODE})
def file_mkdir(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """Make a directory; its parent must exist."""
    path = job.subject = params["path"]
    mode = 0o700 if params["mode"] is None else params["mode"]
    with _writable(job).parent(path) as (folder, name):
        os.mkdir(name, mode & 0o777, dir_fd=folder)
        # mkdir(2) takes the umask away, and no special bits.
        handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.fchmod(handle, mode)
        finally:
            os.close(handle)
    return {}


@method("file_remove", "files", {"path": _PATH})
def file_remove(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """Remove a file, a link, or an empty directory."""
    path = job.subject = params["path"]
    with _writable(job).parent(path) as (folder, name):
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(found.st_mode):
            os.rmdir(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)
    return {}


@method(
    "file_read",
    "files",
    {
        "path": _PATH,
        "offset": optional(integer(0, _MOST), 0),
        "size": optional(integer(1, wire.MAX_PAYLOAD), wire.MAX_PAYLOAD),
    },
)
def file_read(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """A piece of a file."""
    path = job.subject = params["path"]
    with _readable(job).file(path, os.O_RDONLY) as handle:
        payload = os.pread(handle, params["size"], params["offset"])
        end = params["offset"] + len(payload)
        eof = not os.pread(handle, 1, end)
    return {"data": base64.b64encode(payload).decode("ascii"), "eof": eof}


@method(
    "file_write",
    "files",
    {
        "path": _PATH,
        "data": Param(text(wire.MAX_BASE64)),
        "offset": optional(integer(0, _MOST), 0),
        "create": optional(flag, False),
        "truncate": optional(flag, False),
    },
)
def file_write(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """Write a piece of a file in place, as the simplest peer does; `file_put` replaces a file as a whole."""
    path = job.subject = params["path"]
    try:
        payload = base64.b64decode(params["data"], validate=True)
    except (ValueError, binascii.Error):
        raise wire.WireError(wire.INVALID_PARAMS, "data must be base64") from None
    end = params["offset"] + len(payload)
    if end > job.policy.limits.file_size:
        raise wire.WireError(wire.TOO_LARGE, f"the guest's policy allows files of {job.policy.limits.file_size} bytes")
    roots = _writable(job)
    if params["create"]:
        _create(roots, path)
    with roots.file(path, os.O_WRONLY) as handle:
        written = 0
        while written < len(payload):
            written += os.pwrite(handle, payload[written:], params["offset"] + written)
        if params["truncate"]:
            os.ftruncate(handle, end)
        return {"size": os.fstat(handle).st_size}


@method("file_get", "files", {"path": _PATH, "offset": optional(integer(0, _MOST), 0)})
def file_get(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """Send a file from an offset on as the stream ``content``; the answer has the checksum of the whole."""
    path = job.subject = params["path"]
    with _readable(job).file(path, os.O_RDONLY) as handle:
        before = os.fstat(handle)
        sha256, size = Download(job, handle, params["offset"]).run()
    return {**_facts(before), "size": size, "sha256": sha256}


def _content(params: Dict[str, Any]) -> str:
    return "" if params["resume"] else "content"


@method(
    "file_put",
    "files",
    {
        "path": _PATH,
        "size": Param(integer(0, _MOST)),
        "sha256": Param(text(64)),
        "mode": _MODE,
        "owner": optional(text(256)),
        "group": optional(text(256)),
        "resume": optional(flag, False),
    },
    stream=_content,
)
def file_put(job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """Take a file as the stream ``content`` and put it in place when it is complete and right."""
    path = job.subject = params["path"]
    if params["size"] > job.policy.limits.file_size:
        raise wire.WireError(wire.TOO_LARGE, f"the guest's policy allows files of {job.policy.limits.file_size} bytes")
    if len(params["sha256"]) != 64 or set(params["sha256"]) - set("0123456789abcdef"):
        raise wire.WireError(wire.INVALID_PARAMS, "sha256 must be 64 lower-case hexadecimal digits")
    owner = None if params["owner"] is None else users.user_id(params["owner"])
    group = None if params["group"] is None else users.group_id(params["group"])
    with _writable(job).parent(path) as (folder, name):
        upload = Upload(job, folder, name, params["size"], params["sha256"])
        return {"received": upload.run(params["resume"], params["mode"], owner, group)}


def _facts(found: os.stat_result) -> Dict[str, Any]:
    return {
        "type": paths.kind_of(found.st_mode),
        "size": found.st_size,
        "mode": stat.S_IMODE(found.st_mode),
        "uid": found.st_uid,
        "gid": found.st_gid,
        "mtime": found.st_mtime,
    }


def _entries(folder: int, after: bytes, limit: int) -> Dict[str, Any]:
    wanted = heapq.nsmallest(limit + 1, (name for name in map(os.fsencode, os.listdir(folder)) if name > after))
    entries: List[Dict[str, Any]] = []
    size = 0
    for name in wanted[:limit]:
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            continue
        entry = {"name": names.decode(name), **_facts(found)}
        size += 6 * len(name) + 160
        if size > _LONGEST_LISTING:
            return {"entries": entries, "more": True}
        entries.append(entry)
    return {"entries": entries, "more": len(wanted) > limit}


def _create(roots: paths.Roots, path: str) -> None:
    with roots.parent(path) as (folder, name):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            os.close(os.open(name, flags, 0o600, dir_fd=folder))
        except OSError as error:
            if error.errno != errno.EEXIST:
                raise
