# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the agent's tests on every Python from 3.6 to 3.13 that this machine has, and say which those were.

Arguments go to unittest: ``python agent/run_tests.py tests.test_wire`` runs one file everywhere. With KVMMANAGER_PYTHON
set, only that interpreter is used.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
VERSIONS = [f"3.{minor}" for minor in range(6, 14)]
_SAY_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def main() -> int:
    """Run them; 0 when all passed on all interpreters."""
    pythons = interpreters()
    if not pythons:
        print(f"none of Python {', '.join(VERSIONS)} works here")
        return 1
    tests = sys.argv[1:] or ["discover", "--start-directory", "tests", "--top-level-directory", "."]
    verdicts = {version: run(python, tests) for version, python in pythons.items()}
    for version, (verdict, seconds) in verdicts.items():
        print(f"  Python {version:<6}{verdict:<60}{seconds:>5.0f} s")
    missing = [version for version in VERSIONS if version not in pythons]
    print(f"  not on this machine: {', '.join(missing) or 'none'}")
    return int(any(not verdict.startswith("OK") for verdict, _seconds in verdicts.values()))


def interpreters() -> dict[str, str]:
    """The interpreters that work, by version."""
    chosen = os.environ.get("KVMMANAGER_PYTHON")
    found = {}
    for version in VERSIONS:
        candidates = [chosen] if chosen else [shutil.which(f"python{version}"), *pyenv(version), sys.executable]
        for python in candidates:
            if python and version_of(python) == version:
                found[version] = python
                break
    return found


def pyenv(version: str) -> list[str]:
    """Where pyenv keeps interpreters of a version, the newest first."""
    root = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv"))
    folders = sorted(root.glob(f"versions/{version}.*"), key=lambda folder: natural(folder.name), reverse=True)
    return [str(folder / "bin/python") for folder in folders]


def natural(text: str) -> list[int]:
    """The numbers in a text, to sort by."""
    return [int(number) for number in re.findall(r"\d+", text)]


def version_of(python: str) -> str:
    """What an interpreter says it is; empty when it does not run, as a shim of pyenv for nothing."""
    try:
        done = subprocess.run([python, "-c", _SAY_VERSION], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def run(python: str, tests: list[str]) -> tuple[str, float]:
    """Run the tests on one interpreter; unittest's verdict, and seconds."""
    begin = time.monotonic()
    done = subprocess.run(
        [python, "-m", "unittest", *tests, "--buffer"], cwd=HERE, stderr=subprocess.PIPE, text=True, check=False
    )
    lines = done.stderr.splitlines() or [""]
    verdict = lines[-1] or f"ended with status {done.returncode}"
    count = next((line for line in reversed(lines) if line.startswith("Ran ")), "")
    if done.returncode or not count or count.startswith("Ran 0 "):
        print(done.stderr)
        verdict = verdict if not verdict.startswith("OK") else "ran no test"
    return f"{verdict} {count}".strip(), time.monotonic() - begin


if __name__ == "__main__":
    sys.exit(main())
