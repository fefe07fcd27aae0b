# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m benchmarks [NAME …] [--write FILE]``: one line a figure, its last word ``ok`` or ``short``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from benchmarks import incumbent
from benchmarks.report import write

# Each has run(), which gives the figures.
FILES = ("inventory_link", "inventory_local", "calls", "deploy", "seeds", "upload_memory", "guest")


def main() -> int:
    """Measure and print; a goal that is not reached is a word in its line and no error."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure speed and memory.")
    parser.add_argument("names", nargs="*", choices=[[], *FILES], metavar="NAME", help=f"of {', '.join(FILES)}")
    parser.add_argument("--write", metavar="FILE", help="put the figures and the machine into this page")
    options = parser.parse_args()
    sys.path.insert(0, str(incumbent.COLLECTIONS))
    os.environ["PYTHONPATH"] = str(incumbent.COLLECTIONS)  # for the processes that are measured
    figures = []
    for name in options.names or FILES:
        for figure in importlib.import_module(f"benchmarks.{name}").run():
            print(figure, flush=True)
            figures.append(figure)
    if options.write:
        write(options.write, figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
