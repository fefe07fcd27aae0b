# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's package.sh with the real dpkg and the real rpm, each in a system of its own: a folder."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[3]
SCRIPT = ROOT / "roles/guest_agent/files/package.sh"
DEBIAN = 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n'
FEDORA = "ID=fedora\n"
ROCKY = 'ID="rocky"\nID_LIKE="rhel centos fedora"\n'

# In their place: no script of a package is run, and what the packages need is not there.
_APT = """#!/bin/sh
echo "apt-get $*" >> {root}/calls
while [ $# -gt 1 ]; do action=$1; shift; done
if [ "$action" = purge ]; then
    exec /usr/bin/dpkg {options} --purge "$1"
fi
rm -rf {root}/raw
dpkg-deb --raw-extract "$1" {root}/raw
rm {root}/raw/DEBIAN/post*
dpkg-deb --root-owner-group --build {root}/raw {root}/plain.deb
exec /usr/bin/dpkg {options} --install {root}/plain.deb
"""
_DPKG_OPTIONS = "--root={root}/system --log=/dev/null --force-depends,not-root,confold"
_QUERY = "#!/bin/sh\nexec /usr/bin/dpkg-query --admindir={root}/system/var/lib/dpkg $@\n".replace("$@", '"$@"')
_RPM = """#!/bin/sh
echo "rpm $*" >> {root}/calls
case $* in *--package*) exec /usr/bin/rpm "$@" ;; esac
options='--root {root}/system --dbpath /var/lib/rpm'
case $1 in --upgrade | --erase) options="$options --nodeps --noscripts" ;; esac
exec {become} /usr/bin/rpm $options "$@"
"""


class Guest:
    """A system of its own, as package.sh sees it.

    :param release: its os-release.
    :param tools: the programs that it has instead of this machine's.
    """

    def __init__(self, root: pathlib.Path, release: str, tools: dict[str, str]) -> None:
        self.root = root
        self.system = root / "system"
        self.folder = root / "folder"
        self.config = self.system / "etc/kvmmanager-agent.json"
        for name in ("etc", "var/lib/dpkg/updates", "var/lib/dpkg/info", "var/lib/rpm"):
            (self.system / name).mkdir(parents=True)
        (self.system / "var/lib/dpkg/status").touch()
        if release:
            (self.system / "etc/os-release").write_text(release, encoding="ascii")
        self.tools = root / "tools"
        self.tools.mkdir()
        become = "" if os.geteuid() == 0 else "unshare --map-root-user"
        for name, text in tools.items():
            options = _DPKG_OPTIONS.format(root=root)
            (self.tools / name).write_text(text.format(root=root, options=options, become=become), encoding="ascii")
            (self.tools / name).chmod(0o755)
        script = SCRIPT.read_text(encoding="ascii")
        for place in ("/etc/", "/usr/lib/os-release", "/run/systemd/system"):
            assert place in script
            script = script.replace(place, f"{self.system}{place}")
        self.script = root / "package.sh"
        self.script.write_text(script, encoding="ascii")

    def do(self, action: str, *, alone: bool = False) -> str:
        """What the script says.

        :param alone: with no program of this machine but these.
        """
        path = f"{self.tools}:/usr/sbin:/usr/bin:/sbin:/bin"
        if alone:
            for name in ("grep", "rm"):
                (self.tools / name).symlink_to(str(shutil.which(name)))
            path = str(self.tools)
        done = subprocess.run(
            ["/bin/sh", self.script, action, self.folder],
            env={"PATH": path, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def has(self, path: str) -> bool:
        """Whether a file is there."""
        return (self.system / path).exists()

    def calls(self) -> str:
        """What was called."""
        return (self.root / "calls").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The packages of two versions, as the role has them."""
    folder = tmp_path_factory.mktemp("packages")
    for version in ("1.0.0", "1.1.0"):
        build = [sys.executable, "-m", "packaging", str(folder / "built"), "--version", version, "--role"]
        subprocess.run([*build, str(folder / version)], cwd=ROOT / "agent", check=True, capture_output=True)
    return folder


@pytest.fixture(params=["deb", "rpm"])
def guest(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Guest:
    """Each family, where the other's program is installed as well."""
    if request.param == "deb":
        return Guest(tmp_path, DEBIAN, {"apt-get": _APT, "dpkg-query": _QUERY})
    return Guest(tmp_path, ROCKY, {"rpm": _RPM})


def bring(guest: Guest, packages: pathlib.Path, version: str) -> None:
    """Put the packages of a version where the role puts them."""
    shutil.rmtree(guest.folder, ignore_errors=True)
    shutil.copytree(packages / version, guest.folder)


def kind(guest: Guest) -> str:
    return guest.do("status").split()[0]


def installed(guest: Guest) -> str:
    return guest.do("status").split()[1]


def test_the_whole_life_of_a_package(guest: Guest, packages: pathlib.Path) -> None:
    assert installed(guest) == "absent"
    bring(guest, packages, "1.0.0")
    assert installed(guest) == "other"
    guest.do("install")
    assert installed(guest) == "current"
    assert guest.has("usr/lib/kvmmanager-agent/kvmmanager-agent.pyz")
    guest.config.write_text('{"profile": "full"}', encoding="ascii")
    # An upgrade keeps the configuration; a downgrade, as from a newer collection's to an older one's, works, too.
    for version in ("1.1.0", "1.0.0"):
        bring(guest, packages, version)
        assert installed(guest) == "other"
        guest.do("install")
        assert installed(guest) == "current"
        assert json.loads(guest.config.read_text(encoding="ascii")) == {"profile": "full"}
    guest.do("install")  # as when only the file was missing
    assert installed(guest) == "current"
    guest.do("remove")
    assert installed(guest) == "absent"
    assert not guest.folder.exists()
    assert not guest.has("usr/lib/kvmmanager-agent/kvmmanager-agent.pyz")
    assert [path.name for path in (guest.system / "etc").iterdir()] == ["os-release"]


def test_what_was_removed_by_hand_is_not_absent(guest: Guest, packages: pathlib.Path) -> None:
    bring(guest, packages, "1.0.0")
    guest.do("install")
    shutil.rmtree(guest.folder)
    assert installed(guest) == "other"
    guest.do("remove")
    assert installed(guest) == "absent"
    guest.do("remove")
    assert installed(guest) == "absent"


def test_asking_changes_nothing(guest: Guest, packages: pathlib.Path) -> None:
    bring(guest, packages, "1.0.0")
    assert guest.do("status") == guest.do("status")
    assert installed(guest) == "other"
    calls = guest.calls() if (guest.root / "calls").exists() else ""
    assert not {"install", "purge", "--upgrade", "--erase"} & set(calls.split())


def test_apt_waits_and_starts_nothing_again(tmp_path: pathlib.Path, packages: pathlib.Path) -> None:
    guest = Guest(tmp_path, DEBIAN, {"apt-get": _APT, "dpkg-query": _QUERY})
    bring(guest, packages, "1.0.0")
    guest.do("install")
    for option in ("DPkg::Lock::Timeout=300", "--force-confold", "--allow-downgrades", "--no-install-recommends"):
        assert option in guest.calls()


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        (DEBIAN, "deb"),
        ("ID=ubuntu\nID_LIKE=debian\n", "deb"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "deb"),
        (FEDORA, "rpm"),
        (ROCKY, "rpm"),
        ('ID="rhel"\nID_LIKE="fedora"\n', "rpm"),
        ("ID=centos\n", "rpm"),
        ('ID="ol"\nID_LIKE="fedora"\n', "rpm"),
    ],
)
def test_the_system_says_what_it_is(release: str, expected: str, tmp_path: pathlib.Path) -> None:
    """Here both dpkg and rpm are installed, as they may be in any guest."""
    assert kind(Guest(tmp_path, release, {"rpm": "#!/bin/sh\nexit 1\n", "dpkg": "#!/bin/sh\nexit 1\n"})) == expected


@pytest.mark.parametrize(
    ("release", "tools", "expected"),
    [
        ("ID=other\n", ["dpkg", "rpm"], "deb"),
        ("", ["dpkg"], "deb"),
        ("ID=other\n", ["rpm"], "rpm"),
        (DEBIAN, ["rpm"], "rpm"),
        ("ID=alpine\n", [], "none"),
        ("", [], "none"),
    ],
)
def test_a_system_that_does_not_say(release: str, tools: list[str], expected: str, tmp_path: pathlib.Path) -> None:
    guest = Guest(tmp_path, release, dict.fromkeys(tools, "#!/bin/sh\nexit 1\n"))
    assert guest.do("status", alone=True) == f"{expected} absent waiting\n"


def test_it_is_sound_shell() -> None:
    subprocess.run(["shellcheck", SCRIPT], check=True)
