# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Libraries that the machine of the task may lack: then a sentence says what to install.

They are imported when they are used, so that a task which needs none of them runs without.
"""

from __future__ import annotations

import importlib
import traceback
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

_PACKAGES = {
    "pycdlib": "python3-pycdlib (Debian, Fedora) or pycdlib (pip)",
    "yaml": "python3-yaml (Debian), python3-pyyaml (Fedora) or PyYAML (pip)",
}


def require(name: str) -> Any:
    """The module of that name.

    :raises Failure: where it is missing.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Failure(
            f"The Python library {name} is missing for the interpreter that runs this task: "
            f"install {_PACKAGES[name]} there, or set ansible_python_interpreter.",
            exception=traceback.format_exc(),
        ) from None


def optional(name: str) -> Any:
    """The module of that name, or None where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
