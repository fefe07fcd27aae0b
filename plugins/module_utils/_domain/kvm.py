# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether KVM works on a host. libvirt's capabilities say so even where QEMU's user may not open /dev/kvm."""

from __future__ import annotations

import fcntl
import os
import pwd
import stat

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._uri import is_local, is_session

_DEVICE = "/dev/kvm"
# The user that the system daemon runs QEMU as: Debian's name, then that of Fedora and SUSE.
_QEMU_USERS = ("libvirt-qemu", "qemu")
# linux/kvm.h: make a virtual machine.
_CREATE_VM = 0xAE01


def why_kvm_is_unusable(uri: str, device: str = _DEVICE) -> str:
    """A reason not to use KVM at this URI, or an empty text.

    Only the machine that this runs on can be looked at. Of another one libvirt's capabilities must be believed; who
    knows better names the domain's type.
    """
    if not is_local(uri):
        return ""
    if not os.path.exists(device):
        return f"there is no {device}"
    return _why_closed(uri, device) or _why_broken(device)


def _why_closed(uri: str, device: str) -> str:
    if is_session(uri):
        return "" if os.access(device, os.R_OK | os.W_OK) else f"this user may not open {device}"
    user = _qemu_user()
    if user is None or _may_open(device, user):
        return ""
    return f"{user.pw_name}, the user that QEMU runs as, may not open {device}"


def _why_broken(device: str) -> str:
    """Why no virtual machine can be made with a device that may be opened, as in some nested virtual machines."""
    try:
        handle = os.open(device, os.O_RDWR | os.O_CLOEXEC)
    except PermissionError:
        return ""  # not for this user to try
    except OSError as error:
        return f"{device} cannot be opened: {error.strerror}"
    try:
        os.close(fcntl.ioctl(handle, _CREATE_VM, 0))
    except InterruptedError:
        return ""
    except OSError as error:
        return f"the kernel makes no virtual machine with {device}: {error.strerror}"
    finally:
        os.close(handle)
    return ""


def _qemu_user() -> pwd.struct_passwd | None:
    for name in _QEMU_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _may_open(path: str, user: pwd.struct_passwd) -> bool:
    found = os.stat(path)
    if found.st_uid == user.pw_uid:
        wanted = stat.S_IRUSR | stat.S_IWUSR
    elif found.st_gid in os.getgrouplist(user.pw_name, user.pw_gid):
        wanted = stat.S_IRGRP | stat.S_IWGRP
    else:
        wanted = stat.S_IROTH | stat.S_IWOTH
    return found.st_mode & wanted == wanted
