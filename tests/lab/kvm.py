# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the hosts of a lab get KVM."""

from __future__ import annotations

import fcntl
import os

# linux/kvm.h
_GET_API_VERSION = 0xAE00
_CREATE_VM = 0xAE01
_API_VERSION = 12


def kvm_is_usable(device: str = "/dev/kvm") -> bool:
    """Return whether QEMU's user may open C(device) and a virtual machine can be made with it.

    A host must have the device only then: libvirt 9.0 asks QEMU for everything it can do, again before each start of a
    guest (10 s and more), when the device is there and QEMU's user cannot open it.

    C(KVMMANAGER_LAB_KVM=no) says no, for machines where KVM is there and does not boot Linux.
    """
    if os.environ.get("KVMMANAGER_LAB_KVM", "").lower() in ("no", "0", "false"):
        return False
    try:
        if not os.stat(device).st_mode & 0o060:  # closed to the group kvm, where Debian puts QEMU's user
            return False
        handle = os.open(device, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if fcntl.ioctl(handle, _GET_API_VERSION, 0) != _API_VERSION:
            return False
        os.close(fcntl.ioctl(handle, _CREATE_VM, 0))
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
