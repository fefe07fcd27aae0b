# Copyright: (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user's XML laid over the XML that libvirt holds. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import Element


def overlay(current: Element, given: Element, purge: Iterable[str] = ()) -> Element:
    """``current`` changed so that it says what ``given`` says; what ``given`` does not mention stays."""
    raise NotImplementedError
