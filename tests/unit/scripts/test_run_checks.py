# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make test` must neither lose a failure nor hide a skip."""

from __future__ import annotations

import pathlib
import sys

import pytest

from scripts import run_checks
from scripts.run_checks import Result

REPORT = """<testsuites><testsuite>
<testcase classname="a" name="good"/>
<testcase classname="a" name="bad"><failure message="no"/></testcase>
<testcase classname="a" name="broken"><error message="oh"/></testcase>
<testcase classname="a" name="left_out"><skipped message="needs a GPU"/></testcase>
<testcase classname="a" name="left_out_too"><skipped>no Python 3.9</skipped></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def report(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "report.xml"
    path.write_text(REPORT, encoding="utf-8")
    return path


def test_every_test_of_a_report_counts(report: pathlib.Path) -> None:
    result = run_checks.counted(Result("unit", 1), 1, [report])
    assert (result.passed, result.failed) == (1, 2)
    assert result.skipped == ["a::left_out: needs a GPU", "a::left_out_too: no Python 3.9"]


def test_a_run_that_breaks_without_a_report_has_failed(tmp_path: pathlib.Path) -> None:
    assert run_checks.counted(Result("unit", 1), 4, [tmp_path / "none.xml"]).failed == 1


def test_a_run_that_passes_without_a_report_has_failed(tmp_path: pathlib.Path) -> None:
    assert run_checks.counted(Result("unit", 1), 0, [tmp_path / "none.xml"]).failed == 1


def test_the_last_line_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    run_checks.print_summary(
        [Result("lint", 2.4, passed=1), Result("unit", 3.4, passed=5, failed=1, skipped=["x: why"])]
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "6 passed, 1 failed, 1 skipped"
    assert "  skipped in unit: x: why" in lines


def test_a_failed_check_stops_none_but_fails_the_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(run_checks, "REPORTS", tmp_path / "reports")
    done: list[str] = []

    def check(name: str, passed: int = 0, failed: int = 0) -> run_checks.Check:
        def run() -> Result:
            done.append(name)
            return Result(name, 0, passed, failed)

        return run

    lanes = [[check("a", failed=1), check("b", passed=1)], [check("c", passed=1)]]
    monkeypatch.setattr(run_checks, "lanes", lambda: lanes)
    assert run_checks.main() == 1
    assert sorted(done) == ["a", "b", "c"]


def test_output_is_passed_on_with_the_name_of_its_check(capfd: pytest.CaptureFixture[str]) -> None:
    script = "import sys; print('out', flush=True); sys.stderr.write('err'); sys.exit(3)"
    status, _seconds = run_checks.run("lint", [sys.executable, "-c", script])
    assert status == 3
    assert capfd.readouterr().out.splitlines()[1:3] == ["lint| out", "lint| err"]
