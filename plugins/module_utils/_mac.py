# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MAC addresses as users write them. Pure."""

from __future__ import annotations

import re

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def clean_mac(text: str, option: str) -> str:
    """A MAC address of one network card, in lower case with colons.

    :raises Failure: for what is none, and for a multicast address.
    """
    mac = text.strip().lower().replace("-", ":")
    if mac.isdigit():  # YAML 1.1 reads 52:54:00:12:34:56 as a number to the base of 60
        raise Failure(f'{option}: YAML read a number, {text}. Put the MAC address in quotes: "52:54:00:12:34:56".')
    if not _MAC.fullmatch(mac):
        raise Failure(f"{option}: '{text}' is not a MAC address such as 52:54:00:12:34:56.")
    if int(mac[:2], 16) & 1:
        raise Failure(f"{option}: '{text}' is a multicast address; no network card can have it.")
    return mac
