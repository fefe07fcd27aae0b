# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the agent's tests on every Python from 3.6 to 3.13 that this machine has, and say which those were.

Twice as many interpreters run at a time as there are processors, since tests also wait. Arguments go to unittest:
``python agent/run_tests.py tests.test_wire`` runs one file everywhere. With KVMMANAGER_PYTHON set, only that
interpreter is used. ``--faults`` instead does what can go wrong very often, and a million lines of rubbish, on the
newest interpreter alone; and another million guided by coverage where this interpreter has atheris.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

HERE = pathlib.Path(__file__).parent
VERSIONS = [f"3.{minor}" for minor in range(6, 14)]
_SAY_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


class Outcome(NamedTuple):
    """What became of the tests on one interpreter.

    :ivar verdict: unittest's last line and how many tests there were; begins with OK when all is well.
    :ivar skipped: why tests were left out.
    :ivar output: what unittest wrote, when not all is well.
    """

    verdict: str
    seconds: float
    skipped: list[str]
    output: str = ""


def main() -> int:
    """Run them; 0 when all passed on all interpreters."""
    pythons = interpreters()
    if not pythons:
        print(f"none of Python {', '.join(VERSIONS)} works here")
        return 1
    tests = sys.argv[1:] or ["discover", "--start-directory", "tests", "--top-level-directory", "."]
    if tests == ["--faults"]:
        return faults(pythons)
    # The newest first: the oldest are the fastest, and fill the end best.
    order = sorted(pythons, key=natural, reverse=True)
    with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        outcomes = dict(zip(order, pool.map(lambda version: run(pythons[version], tests), order)))
    for version in pythons:
        report(version, outcomes[version])
    missing = [version for version in VERSIONS if version not in pythons]
    print(f"  not on this machine: {', '.join(missing) or 'none'}")
    return int(any(not outcome.verdict.startswith("OK") for outcome in outcomes.values()))


def faults(pythons: dict[str, str]) -> int:
    """Run the tests of faults with their full counts; 0 when all passed."""
    version = max(pythons, key=natural)
    os.environ.update(KVMMANAGER_FAULTS="1", KVMMANAGER_FUZZ_LINES="1000000")
    tests = dict.fromkeys(("tests.test_fuzz", "tests.test_faults", "tests.test_races"), (version, pythons[version]))
    # What this one needs is where the other tools are, and not in every interpreter.
    tests["tests.fuzz_guided"] = version_of(sys.executable), sys.executable
    with ThreadPoolExecutor() as pool:
        outcomes = list(pool.map(lambda test: run(tests[test][1], [test]), tests))
    for test, outcome in zip(tests, outcomes):
        report(tests[test][0], outcome)
    return int(any(not outcome.verdict.startswith("OK") for outcome in outcomes))


def report(version: str, outcome: Outcome) -> None:
    """Print what became of the tests on one interpreter."""
    print(outcome.output, end="")
    print(f"  Python {version:<6}{outcome.verdict:<60}{outcome.seconds:>5.0f} s")
    for reason in outcome.skipped:
        print(f"    skipped: {reason}")


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


def run(python: str, tests: list[str]) -> Outcome:
    """Run the tests on one interpreter."""
    begin = time.monotonic()
    command = [python, "-m", "unittest", *tests, "--buffer", "--verbose"]
    done = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    lines = done.stdout.splitlines() or [""]
    verdict = lines[-1] or f"ended with status {done.returncode}"
    count = next((line for line in reversed(lines) if line.startswith("Ran ")), "")
    failed = bool(done.returncode or not count or count.startswith("Ran 0 "))
    if failed and verdict.startswith("OK"):
        verdict = "ran no test"
    reasons = [line for line in lines if " ... skipped " in line]
    return Outcome(f"{verdict} {count}".strip(), time.monotonic() - begin, reasons, done.stdout if failed else "")


if __name__ == "__main__":
    sys.exit(main())
