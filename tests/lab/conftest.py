# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make ansible_collections.kvmmanager.libvirt importable, for the tests of its client on real hosts."""

from __future__ import annotations

import sys

from tests.lab.cache import REPOSITORY

sys.path.insert(0, str(REPOSITORY / ".cache/collections"))
