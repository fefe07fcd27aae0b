# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real libvirt hosts on one machine, for tests and for people.

Every host is a network namespace with its own libvirtd behind one bridge::

    with Lab(name="mine", hosts=[Host("h1", release="bookworm"), Host("h2", release="trixie")]) as lab:
        print(lab["h1"].uri)      # qemu+tcp://10.77.0.2/system

``python -m tests.lab up`` does the same for a person.
"""

from __future__ import annotations

from .errors import LabError
from .lab import Lab
from .model import Host

__all__ = ["Host", "Lab", "LabError"]
