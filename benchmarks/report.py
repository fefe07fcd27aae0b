# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/benchmarks.md: the figures, and the machine that they were taken on."""

from __future__ import annotations

import datetime
import os
import pathlib
import platform
import re

import libvirt

from benchmarks import incumbent
from benchmarks.figure import Figure, times

# In two parts, else a licence checker takes it for a second licence of this file.
_LICENCE = "SPDX-License-" + "Identifier: GPL-3.0-or-later"
_HEADER = f"<!--\nSPDX-FileCopyrightText: 2026 kvmmanager contributors\n{_LICENCE}\n-->\n\n"
_PAGE = """# Speed and memory

`make bench` measures this collection beside community.libvirt, or against a limit, and prints these lines.
What each one means, and how it is measured, is written in the file of `benchmarks/` that makes it.
`make bench` changes nothing in this page; `python -m benchmarks --write docs/benchmarks.md` does.

A ratio is how many times better this collection is. `ok` means that the goal is reached, `short` that it is not.
Some figures have *bare* beside them: the ratio of the plainest program that does only what nobody can leave out,
measured in the same run. It starts the command in the guest without an agent, puts the bytes into a file and hashes
them, or adds hosts to the inventory that it knows already. That shows how much room there is on this machine; another
way might still be a little quicker.

| figure | ours | theirs, or the limit | ratio | bare | goal | |
| --- | ---: | ---: | ---: | ---: | ---: | --- |
{rows}

Taken on {date}, on this machine:

{machine}
"""


def write(path: str, figures: list[Figure]) -> None:
    """Write the page."""
    page = _HEADER + _PAGE.format(
        rows="\n".join(map(_row, figures)),
        date=datetime.datetime.now(tz=datetime.timezone.utc).date(),
        machine="\n".join(f"- {name}: {value}" for name, value in _machine().items()),
    )
    pathlib.Path(path).write_text(page, encoding="utf-8")


def _row(figure: Figure) -> str:
    cells = (
        figure.name,
        f"{figure.ours:.3g} {figure.unit}",
        f"{figure.theirs:.3g} {figure.unit}",
        times(figure.ratio),
        "" if figure.bare_ratio is None else times(figure.bare_ratio),
        times(figure.goal),
        "ok" if figure.is_met else "short",
    )
    return f"| {' | '.join(cells)} |"


def _machine() -> dict[str, str]:
    number = libvirt.getVersion()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return {
        "processors": f"{os.cpu_count()} × {_processor()}",
        "memory": f"{memory:.0f} GiB",
        "system": f"{_system()}, Linux {platform.release()}",
        "load while it ran (1, 5, 15 minutes)": ", ".join(f"{load:.1f}" for load in os.getloadavg()),
        "Python": platform.python_version(),
        "libvirt (client)": f"{number // 1000000}.{number // 1000 % 1000}.{number % 1000}",
        **incumbent.versions(),
    }


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.M)
    return found.group(1) if found else platform.machine()


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
