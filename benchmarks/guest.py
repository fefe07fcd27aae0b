# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes through the port of a guest, with our agent and with qemu-guest-agent, in one booted guest.

The guest is a full cloud image under emulation, which takes two minutes to boot, so all figures about it come from
here: `guest_memory` measures memory, first, since a peak stays; `guest_ansible` whole Ansible processes, `guest_calls`
commands and pings, `guest_files` copies.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import guest_ansible, guest_calls, guest_files, guest_memory
from benchmarks.figure import Figure
from benchmarks.guest_machine import guest_machine


def run() -> Iterator[Figure]:
    """The figures of this file."""
    with guest_machine() as machine:
        for part in (guest_memory, guest_ansible, guest_calls, guest_files):
            yield from part.figures(machine)
