# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run all Molecule scenarios, and stop their lab whatever became of them: `molecule test` leaves it when one fails."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[1]
LAB = "molecule"  # as in extensions/molecule/default/create.yml


def main() -> int:
    """Run them; Molecule's exit status."""
    # Molecule keeps what it remembers in the home directory under the name of the working tree's folder: two trees of
    # one name would share it, and a run would trust instances of another tree. Each run begins with nothing instead.
    with tempfile.TemporaryDirectory(prefix="molecule-") as memory:
        environment = {**os.environ, "MOLECULE_EPHEMERAL_DIRECTORY": memory}
        try:
            command = [sys.executable, "-m", "molecule", "test", "--all"]
            return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        finally:
            subprocess.run([sys.executable, "-m", "tests.lab", "down", "--name", LAB], cwd=ROOT, check=False)


if __name__ == "__main__":
    sys.exit(main())
