# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Outcomes of calls made at once, and what is made of them after."""

from __future__ import annotations

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._parallel import Outcome


def test_what_comes_of_a_value_is_an_outcome_again() -> None:
    """A value goes through the function, and an error in there stands in its place."""
    assert Outcome(value="12").then(int).unwrap() == 12
    with pytest.raises(ValueError, match="invalid literal"):
        Outcome(value="twelve").then(int).unwrap()


def test_an_error_is_not_handed_to_the_function() -> None:
    """The first thing that went wrong is what is told."""
    failed = Outcome(error=OSError("no answer"))
    assert failed.then(int) is failed
