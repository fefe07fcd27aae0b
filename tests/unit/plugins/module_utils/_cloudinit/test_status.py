# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests of what is made of a guest's report on its cloud-init."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.status import BEGIN, END, find_status


def sent(report: str) -> bytes:
    """What a guest writes to its port."""
    return f"{BEGIN}\n{report}\n{END}\n".encode()


@pytest.mark.parametrize(
    ("report", "word"),
    [
        ("status: done\nboot_status_code: enabled-by-generator\ndetail:\nDataSourceNoCloud", "done"),
        ("status: done\nextended_status: done\nerrors: []", "done"),
        ("status: done\nextended_status: degraded done\nrecoverable_errors: {}", "degraded"),
        ("status: error\nextended_status: error - done\nerrors:\n\t- runcmd failed", "error"),
        ("status: error\ndetail:\n('scripts-user', RuntimeError())", "error"),
        ("status: disabled", "disabled"),
        ("status: not run", "not run"),
        ("status: euphoric", "unknown"),
        ("/bin/sh: 1: cloud-init: not found", "unknown"),
        ("", "unknown"),
    ],
)
def test_word(report: str, word: str) -> None:
    """Old and new releases of cloud-init are understood, and nothing else is passed on as a word."""
    found = find_status(sent(report))
    assert found is not None
    assert found.word == word
    assert found.report == report


@pytest.mark.parametrize("received", [b"", b"login: ", sent("status: done")[:-8], BEGIN.encode()])
def test_unfinished(received: bytes) -> None:
    """As long as a report is not whole there is none."""
    assert find_status(received) is None


def test_starts_in_the_middle() -> None:
    """The rest of a report that an earlier reader left behind is skipped."""
    found = find_status(b"us: error\n" + END.encode() + b"\n" + sent("status: done"))
    assert found is not None
    assert found.word == "done"


def test_hostile_report() -> None:
    """A terminal that shows a report is not driven by it, and bytes that are no text do no harm."""
    found = find_status(sent("status: done\n\x1b[2J\x07").replace(b"done", b"done\xff", 1))
    assert found is not None
    assert "\x1b" not in found.report
    assert "\x07" not in found.report
    assert found.word == "unknown"


def test_carriage_returns() -> None:
    """A port in a terminal's mode ends its lines with both characters."""
    found = find_status(sent("status: done").replace(b"\n", b"\r\n"))
    assert found is not None
    assert found.word == "done"
