# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run every check of this repository and print a summary.

There are two lanes, side by side, which take about as long: the checks that need no lab hosts and the end-to-end tests,
and the other tests on lab hosts, which wait for guests half of the time. Each line of a check's output begins with its
name. A check that fails does not stop the others. A pytest run counts its tests, any other check counts as one test.
The last line reads `N passed, N failed, N skipped`.
"""

from __future__ import annotations

import dataclasses
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

ROOT = pathlib.Path(__file__).parents[1]
REPORTS = ROOT / "tests/output/junit"

NOX_SESSIONS = (
    "codeqa",
    "yamllint",
    "antsibull-nox-config",
    "types",
    "license-check",
    "extra-checks",
    "docs-check",
    "docs",
    "build-import-check",
    "ansible-lint",
    "oldest_core",
)

Check = Callable[[], "Result"]


@dataclasses.dataclass
class Result:
    """What became of one check."""

    name: str
    seconds: float
    passed: int = 0
    failed: int = 0
    skipped: list[str] = dataclasses.field(default_factory=list)

    def row(self) -> str:
        """One line of the summary."""
        verdict = "FAILED" if self.failed else "ok"
        counts = f"{self.passed} passed, {self.failed} failed, {len(self.skipped)} skipped"
        return f"  {self.name:<22}{self.seconds:>7.0f} s   {verdict:<8}{counts}"


def main() -> int:
    """Run the checks; 0 when none failed."""
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    results = run_lanes(lanes())
    print_summary(results)
    return int(any(result.failed for result in results))


def lanes() -> list[list[Check]]:
    """The checks; those of one lane come one after the other."""
    first = [tool_check(session, nox(session)) for session in NOX_SESSIONS]
    first += [
        pytest_check("unit"),
        tool_check("agent", [sys.executable, "agent/run_tests.py"]),
        tool_check("agent-faults", [sys.executable, "agent/run_tests.py", "--faults"]),
        sanity,
        pytest_check("e2e"),
    ]
    # An integration target is mostly one process of Ansible, so two run at a time, each on hosts of its own.
    second = [
        pytest_check("lab"),
        pytest_check("integration", "--numprocesses=2", "--dist=worksteal"),
        tool_check("molecule", [sys.executable, "-m", "scripts.molecule"]),
    ]
    return [first, second]


def run_lanes(lanes: Sequence[Sequence[Check]]) -> list[Result]:
    """Run the lanes side by side; the results, lane by lane."""
    with ThreadPoolExecutor(len(lanes)) as pool:
        done = pool.map(lambda lane: [check() for check in lane], lanes)
        return [result for lane in done for result in lane]


def nox(session: str) -> list[str]:
    """The command that runs one session of noxfile.py."""
    return [sys.executable, "-m", "nox", "--reuse-existing-virtualenvs", "--session", session]


def tool_check(name: str, command: list[str]) -> Check:
    """A check that either passes or fails as a whole."""

    def check() -> Result:
        status, seconds = run(name, command)
        return Result(name, seconds, passed=int(status == 0), failed=int(status != 0))

    return check


def pytest_check(name: str, *options: str) -> Check:
    """A run of pytest, each of whose tests counts."""

    def check() -> Result:
        report = REPORTS / f"{name}.xml"
        command = [sys.executable, "-m", "pytest", f"tests/{name}", f"--junit-xml={report}", "-rs", *options]
        status, seconds = run(name, command)
        return counted(Result(name, seconds), status, [report])

    return check


def sanity() -> Result:
    """A run of ansible-test sanity, each of whose tests counts."""
    status, seconds = run("sanity", nox("sanity"))
    return counted(Result("sanity", seconds), status, sorted(REPORTS.glob("ansible-test-sanity-*.xml")))


def counted(result: Result, status: int, reports: list[pathlib.Path]) -> Result:
    """The result with what the JUnit reports say; a run that reported no test has failed, too."""
    for report in reports:
        if report.exists():
            count(result, report)
    if not result.failed and (status != 0 or not result.passed):
        result.failed = 1
    return result


def count(result: Result, report: pathlib.Path) -> None:
    """Add the tests of one JUnit report to the result."""
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        if (skip := case.find("skipped")) is not None:
            result.skipped.append(f"{name}: {skip.get('message') or (skip.text or '').strip()}")
        elif case.find("failure") is not None or case.find("error") is not None:
            result.failed += 1
        else:
            result.passed += 1


def run(name: str, command: list[str]) -> tuple[int, float]:
    """Run one check where its output can be seen; its exit status and how many seconds it took."""
    say(name, "begins")
    begin = time.monotonic()
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            say(name, line.decode("utf-8", "replace").rstrip())
    seconds = time.monotonic() - begin
    say(name, f"ended with status {process.returncode} after {seconds:.0f} s")
    return process.returncode, seconds


def say(name: str, line: str) -> None:
    """One line of a check's output, written at once, since two checks write at a time."""
    sys.stdout.write(f"{name}| {line}\n")
    sys.stdout.flush()


def print_summary(results: list[Result]) -> None:
    """The table of checks, why tests were skipped, and the totals."""
    print("\n=== summary")
    for result in results:
        print(result.row())
    for result in results:
        for reason in result.skipped:
            print(f"  skipped in {result.name}: {reason}")
    passed = sum(result.passed for result in results)
    failed = sum(result.failed for result in results)
    skipped = sum(len(result.skipped) for result in results)
    seconds = sum(result.seconds for result in results)
    print(f"  {'all':<22}{seconds:>7.0f} s\n")
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)


if __name__ == "__main__":
    sys.exit(main())
