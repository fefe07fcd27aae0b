# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A million lines guided by coverage, where atheris is installed: `guided` as a test. Only ``--faults`` runs it."""

import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest

from .host import HERE

LINES = int(os.environ.get("KVMMANAGER_FUZZ_LINES", "10000"))


@unittest.skipUnless(importlib.util.find_spec("atheris"), "atheris is not installed")
class Guided(unittest.TestCase):
    def test_lines(self) -> None:
        with tempfile.TemporaryDirectory(prefix="agent-") as folder:
            command = [sys.executable, "-m", "tests.guided", os.path.realpath(folder), str(LINES)]
            done = subprocess.run(command, cwd=str(HERE.parent), capture_output=True, check=False)
            said = (done.stdout + done.stderr)[-4000:].decode("utf-8", "replace")
            self.assertEqual(done.returncode, 0, said)
            self.assertRegex(said, r"\d+ lines in \d+ inputs")
