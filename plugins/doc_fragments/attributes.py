# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules of this collection promise about check mode, diff and being run twice."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of a module that manages a resource, and (``INFO``) of one that only reads."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/kvmmanager.libvirt.libvirt) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - kvmmanager.libvirt.libvirt
  check_mode:
    description: Can run in C(check_mode) and tell what would change without changing it.
    support: full
  diff_mode:
    description: Returns what changed, or would change in C(check_mode), in diff mode.
    support: full
  idempotent:
    description: When run twice in a row with the same options, the second run changes nothing.
    support: full
"""

    INFO = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/kvmmanager.libvirt.libvirt) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - kvmmanager.libvirt.libvirt
  check_mode:
    description: Can run in C(check_mode) and tell what would change without changing it.
    support: full
    details: This module only reads.
  diff_mode:
    description: Returns what changed, or would change in C(check_mode), in diff mode.
    support: N/A
    details: This module only reads.
  idempotent:
    description: When run twice in a row with the same options, the second run changes nothing.
    support: full
    details: This module only reads.
"""
