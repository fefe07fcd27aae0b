# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guests for the lab, built from Debian's packages and cached by the content of their recipe."""

from __future__ import annotations

from .cloud import cloud
from .tiny import Tiny, tiny, tiny_with_agent

__all__ = ["Tiny", "cloud", "tiny", "tiny_with_agent"]
