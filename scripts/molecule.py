# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run all Molecule scenarios, and stop their lab whatever became of them: `molecule test` leaves it when one fails."""

from __future__ import annotations

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]
LAB = "molecule"  # as in extensions/molecule/default/create.yml


def main() -> int:
    """Run them; Molecule's exit status."""
    try:
        return subprocess.run([sys.executable, "-m", "molecule", "test", "--all"], cwd=ROOT, check=False).returncode
    finally:
        subprocess.run([sys.executable, "-m", "tests.lab", "down", "--name", LAB], cwd=ROOT, check=False)
        # What Molecule remembers of the scenarios is no longer true.
        subprocess.run([sys.executable, "-m", "molecule", "reset", "--all"], cwd=ROOT, check=False)


if __name__ == "__main__":
    sys.exit(main())
