# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guest agent of kvmmanager.libvirt: Python 3.6 to 3.13 and nothing but the standard library."""

VERSION = "0.1.0"
