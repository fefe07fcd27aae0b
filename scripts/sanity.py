# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run `ansible-test sanity` on a copy of this collection, on this machine.

antsibull-nox would run it in a container, which needs a container engine and its registry. Here
ansible-test makes its virtual environments itself, from PyPI. What it skips is said and counted.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from xml.etree import ElementTree

from scripts.worktree import ROOT, copy_worktree

OUTPUT = ROOT / "tests/output/junit"
CACHE = pathlib.Path.home() / ".ansible/test/cache"

# How ansible-test words that no file of the collection is of the kind that a test looks at.
NOTHING_TO_TEST = "No tests applicable"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# ansible-test starts the environments that it makes with this script. This one takes pip from
# Python's own ensurepip and then installs what it is asked for, with pip's own options.
STAND_IN = """\
import subprocess, sys
wanted = [arg for arg in sys.argv[1:] if arg not in ("--no-setuptools", "--no-wheel")]
subprocess.check_call([sys.executable, "-m", "ensurepip"])
subprocess.check_call([sys.executable, "-m", "pip", "install", *wanted])
"""


def main() -> int:
    """Run the tests; the exit status, 0 when all passed and there were some."""
    command = ["ansible-test", "sanity", "--requirements", "--junit", "--color", "no"]
    # Inside this repository ansible-test would ask Git, which ignores a copy in .cache.
    with tempfile.TemporaryDirectory(prefix="kvmmanager-sanity-") as scratch, get_pip():
        copy = pathlib.Path(scratch, "ansible_collections/kvmmanager/libvirt")
        copy_worktree(copy)
        status = subprocess.run(
            command + sys.argv[1:],
            cwd=copy,
            env=environment(),
            stdin=subprocess.DEVNULL,
            check=False,
        ).returncode
        return status or int(collect_reports(copy / "tests/output/junit") == 0)


@contextlib.contextmanager
def get_pip() -> Iterator[None]:
    """Let ansible-test find get-pip: the real one, or for this run a stand-in."""
    version, url = get_pip_source()
    cached = CACHE / f"get_pip_{version.replace('.', '_')}.py"
    if cached.exists() or can_download(url):
        yield
        return
    print(f"{url} cannot be downloaded; a stand-in that uses ensurepip replaces it", flush=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    cached.write_text(STAND_IN, encoding="utf-8")
    try:
        yield
    finally:
        cached.unlink()


def can_download(url: str) -> bool:
    """Whether ansible-test will get its own copy."""
    try:
        with urllib.request.urlopen(url, timeout=15):
            return True
    except (urllib.error.URLError, TimeoutError):
        return False


def get_pip_source() -> tuple[str, str]:
    """The version of pip that this ansible-test wants, and where it would download it from."""
    from ansible_test._internal import python_requirements

    source = pathlib.Path(python_requirements.__file__).read_text(encoding="utf-8")
    version = re.search(r"pip='([0-9.]+)'", source)
    if version is None:
        raise SystemExit("this ansible-test names no pip version; mend scripts/sanity.py")
    address = "https://ci-files.testing.ansible.com/ansible-test"
    return version[1], f"{address}/get-pip-{version[1]}.py"


def environment() -> dict[str, str]:
    """The caller's environment, less what would mislead ansible-test."""
    # Constraints of our own tools must not meddle with the releases that ansible-test pins.
    kept = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}
    # It takes every pythonX.Y in PATH for usable, which the shims of pyenv are not.
    path = f"{pathlib.Path(sys.executable).parent}:{SYSTEM_PATH}"
    return {**kept, "PATH": path, "LC_ALL": "C.UTF-8"}


def collect_reports(directory: pathlib.Path) -> int:
    """Bring the JUnit reports of this run home, and say what was skipped; how many tests ran."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for old in OUTPUT.glob("ansible-test-sanity-*.xml"):
        old.unlink()
    ran, skipped, idle = 0, [], []
    for report in sorted(directory.glob("*.xml")):
        case = next(ElementTree.parse(report).iter("testcase"))
        reason = case.findtext("skipped")
        if reason is not None and reason.startswith(NOTHING_TO_TEST):
            idle.append(case.get("name", report.stem))
            continue
        shutil.copy2(report, OUTPUT / report.name)
        if reason is None:
            ran += 1
        else:
            skipped.append(reason)
    print(f"nothing to look at here: {', '.join(idle) or 'none'}", *skipped, sep="\n")
    print(f"ansible-test sanity: {ran} tests ran, {len(skipped)} were skipped")
    return ran


if __name__ == "__main__":
    sys.exit(main())
