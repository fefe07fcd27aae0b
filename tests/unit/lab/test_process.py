# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Naming and ending processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.lab.process import Process, command_line, find_process, is_running, kill, parse_start_time

_SLEEPER = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    # It says something, so that it is known to be the program by then, and not half a program.
    process = subprocess.Popen(_SLEEPER, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("name", ["sleep", "a b", "we(ird) (name", ") 1 2 3"])
def test_start_time_whatever_the_program_is_called(name: str) -> None:
    fields = " ".join(str(number) for number in range(3, 52))
    assert parse_start_time(f"42 ({name}) {fields}") == 22


def test_this_process_is_running() -> None:
    me = find_process(os.getpid())
    assert me is not None
    assert is_running(me)


def test_kill(child: subprocess.Popen[bytes]) -> None:
    process = find_process(child.pid)
    assert process is not None
    assert command_line(child.pid) == _SLEEPER
    assert kill(process)
    assert not is_running(process)
    assert find_process(child.pid) is None


def test_another_process_with_that_id_is_not_killed(child: subprocess.Popen[bytes]) -> None:
    now = find_process(child.pid)
    assert now is not None
    assert kill(Process(now.pid, now.started - 1))
    assert child.poll() is None


def test_process_that_is_gone() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert find_process(gone.pid) is None
    assert command_line(gone.pid) == []
    assert kill(Process(gone.pid, 1))
