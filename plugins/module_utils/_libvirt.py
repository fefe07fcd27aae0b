# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that imports libvirt-python, so that a machine without it gets a sentence, not a traceback.

``libvirt`` is the module, ``libvirt_qemu`` what comes with it for QEMU, or both ``None`` where it is missing; constants
may therefore only be used inside functions.
"""

from __future__ import annotations

import traceback

try:
    import libvirt
    import libvirt_qemu

    IMPORT_ERROR = None
except ImportError:  # the machine that the task runs on has no libvirt-python
    libvirt = libvirt_qemu = None
    IMPORT_ERROR = traceback.format_exc()

__all__ = ["IMPORT_ERROR", "libvirt", "libvirt_qemu"]
