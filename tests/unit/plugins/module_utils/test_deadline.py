# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deadlines, and calls that do not come back."""

from __future__ import annotations

import threading
import time

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import Deadline, TimedOut, call_within


def test_a_call_in_time_gives_its_result_or_its_error() -> None:
    assert call_within(5, divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        call_within(5, divmod, 7, 0)


def test_a_call_that_hangs_is_given_up() -> None:
    never = threading.Event()
    started = time.monotonic()
    with pytest.raises(TimedOut):
        call_within(0.05, never.wait, 30)
    assert time.monotonic() - started < 10
    never.set()


def test_a_deadline_is_shared_by_all_that_wait() -> None:
    deadline = Deadline(0.01)
    before = deadline.passed
    threading.Event().wait(0.02)
    assert (before, deadline.passed) == (False, True)
    assert deadline.remaining == 0


def test_no_deadline_never_passes() -> None:
    assert Deadline(None).remaining is None
    assert not Deadline(None).passed
