# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The agent's packages, as the tools of the distributions read them. tests/e2e installs one in a guest."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[3]
FILES = ROOT / "agent/packaging/files"
VERSION = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
# All that is installed, with its mode.
CONTENT = {
    "/etc/kvmmanager-agent.json": "-rw-r--r--",
    "/usr/lib/kvmmanager-agent/kvmmanager-agent.pyz": "-rw-r--r--",
    "/usr/lib/systemd/system/kvmmanager-agent.service": "-rw-r--r--",
    "/usr/lib/udev/rules.d/60-kvmmanager-agent.rules": "-rw-r--r--",
    "/usr/sbin/kvmmanager-agent": "-rwxr-xr-x",
    "/usr/share/doc/kvmmanager-agent/copyright": "-rw-r--r--",
    "/usr/share/man/man5/kvmmanager-agent.json.5.gz": "-rw-r--r--",
    "/usr/share/man/man8/kvmmanager-agent.8.gz": "-rw-r--r--",
}
ASKED_TO_LEAVE = "systemctl kill --kill-who=main --signal=USR1 kvmmanager-agent.service"
STARTED = "systemctl start --no-block kvmmanager-agent.service"


def run(*command: str | pathlib.Path, **environment: str) -> str:
    done = subprocess.run(
        command, env={**os.environ, "LC_ALL": "C.UTF-8", **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def build(folder: pathlib.Path, *options: str | pathlib.Path, umask: int = 0o022) -> pathlib.Path:
    subprocess.run([sys.executable, "-m", "packaging", folder, *options], cwd=ROOT / "agent", check=True, umask=umask)
    return folder


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return build(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def deb(packages: pathlib.Path) -> pathlib.Path:
    return packages / f"kvmmanager-agent_{VERSION}_all.deb"


@pytest.fixture(scope="module")
def rpm(packages: pathlib.Path) -> pathlib.Path:
    return packages / f"kvmmanager-agent-{VERSION}-1.noarch.rpm"


def test_the_agent_has_the_version_of_the_collection(packages: pathlib.Path) -> None:
    said = run(sys.executable, "-I", packages / "kvmmanager-agent.pyz", "--version")
    assert said == f"kvmmanager-agent {VERSION}\n"


def test_the_same_source_gives_the_same_bytes(packages: pathlib.Path, tmp_path: pathlib.Path) -> None:
    again = build(tmp_path / "elsewhere", umask=0o077)
    names = sorted(path.name for path in packages.iterdir())
    assert len(names) == 3
    assert sorted(path.name for path in again.iterdir()) == names
    for name in names:
        assert (again / name).read_bytes() == (packages / name).read_bytes(), name


def test_they_are_small_enough_for_a_seed(deb: pathlib.Path, rpm: pathlib.Path) -> None:
    assert max(deb.stat().st_size, rpm.stat().st_size) <= 96 * 1024


def test_names_without_version_for_the_role(packages: pathlib.Path, deb: pathlib.Path, tmp_path: pathlib.Path) -> None:
    build(tmp_path / "target", "--role", tmp_path / "role")
    assert sorted(path.name for path in (tmp_path / "role").iterdir()) == [
        "kvmmanager-agent.deb",
        "kvmmanager-agent.rpm",
    ]
    assert (tmp_path / "role/kvmmanager-agent.deb").read_bytes() == deb.read_bytes()


def test_the_collection_brings_them(deb: pathlib.Path, rpm: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Whoever installs the collection has the packages; make builds them again when the source has changed."""
    galaxy = pathlib.Path(sys.executable).with_name("ansible-galaxy")
    run(galaxy, "collection", "build", ROOT, "--output-path", tmp_path)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as tarball:
        for package in (deb, rpm):
            brought = tarball.extractfile(f"roles/guest_agent/files/kvmmanager-agent{package.suffix}")
            assert brought is not None
            assert brought.read() == package.read_bytes(), "run make agent"


def test_what_comes_before_a_release_is_older(tmp_path: pathlib.Path) -> None:
    build(tmp_path, "--version", "1.0.0-beta.2")
    version = run("dpkg-deb", "--field", tmp_path / "kvmmanager-agent_1.0.0~beta.2_all.deb", "Version").strip()
    run("dpkg", "--compare-versions", version, "lt", "1.0.0")
    assert run("rpm", "-qp", "--qf", "%{version}", next(tmp_path.glob("*.rpm"))) == version
    assert run(tmp_path / "kvmmanager-agent.pyz", "--version") == "kvmmanager-agent 1.0.0-beta.2\n"


def test_content_of_the_deb(deb: pathlib.Path) -> None:
    rows = [line.split() for line in run("dpkg-deb", "--contents", deb).splitlines()]
    assert {owner for _mode, owner, *_rest in rows} == {"root/root"}
    assert {row[0] for row in rows if row[5].endswith("/")} == {"drwxr-xr-x"}
    files = {row[5].lstrip("."): row[0] for row in rows if not row[5].endswith("/")}
    assert files == {**CONTENT, "/usr/share/doc/kvmmanager-agent/changelog.gz": "-rw-r--r--"}


def test_control_files_of_the_deb(deb: pathlib.Path, tmp_path: pathlib.Path) -> None:
    run("dpkg-deb", "--raw-extract", deb, tmp_path / "raw")
    control = tmp_path / "raw/DEBIAN"
    fields = run("dpkg-deb", "--field", deb, "Package", "Version", "Architecture", "Depends")
    assert fields.splitlines() == [
        "Package: kvmmanager-agent",
        f"Version: {VERSION}",
        "Architecture: all",
        "Depends: python3 (>= 3.6)",
    ]
    assert (control / "conffiles").read_text(encoding="ascii") == "/etc/kvmmanager-agent.json\n"
    subprocess.run(["md5sum", "--check", "--quiet", "--strict", control / "md5sums"], cwd=tmp_path / "raw", check=True)
    assert sorted(path.name for path in control.iterdir()) == ["conffiles", "control", "md5sums", "postinst", "postrm"]


def test_scripts_of_the_deb(deb: pathlib.Path, tmp_path: pathlib.Path) -> None:
    run("dpkg-deb", "--control", deb, tmp_path / "control")
    for name in ("postinst", "postrm"):
        assert os.access(tmp_path / "control" / name, os.X_OK)
        run("shellcheck", "--shell=sh", tmp_path / "control" / name)
    postrm = (tmp_path / "control/postrm").read_text(encoding="ascii")
    # An upgrade ends with the old package's postrm, which must leave the agent alone.
    assert calls_of(postrm, "upgrade", tmp_path) == []
    assert "systemctl daemon-reload" in calls_of(postrm, "remove", tmp_path)
    assert ASKED_TO_LEAVE in calls_of(
        (tmp_path / "control/postinst").read_text(encoding="ascii"), "configure", tmp_path
    )


def calls_of(script: str, argument: str, folder: pathlib.Path, agent: str = "active") -> list[str]:
    """What a script calls where systemd runs and the port is there; each command is played by one that succeeds.

    :param agent: what systemctl says of the agent.
    """
    log, tools = folder / "calls", folder / "tools"
    log.write_text("", encoding="ascii")
    tools.mkdir(exist_ok=True)
    for name in ("systemctl", "udevadm"):
        (tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {log}\necho {agent}\n', encoding="ascii")
        (tools / name).chmod(0o755)
    assert "/run/systemd/system" in script
    script = script.replace("/run/systemd/system", str(tools))
    script = script.replace("/dev/virtio-ports/org.kvmmanager.agent.0", str(log))  # what is there
    run("/bin/sh", "-c", script, "script", argument, PATH=f"{tools}:/usr/bin:/bin")
    return log.read_text(encoding="ascii").splitlines()


def test_a_first_installation_starts_the_agent(deb: pathlib.Path, tmp_path: pathlib.Path) -> None:
    run("dpkg-deb", "--control", deb, tmp_path / "control")
    postinst = (tmp_path / "control/postinst").read_text(encoding="ascii")
    calls = calls_of(postinst, "configure", tmp_path, agent="inactive")
    assert STARTED in calls
    assert ASKED_TO_LEAVE not in calls
    # udev starts the new agent meanwhile: only one that ran before may be asked to leave.
    assert "is-active" in calls[0]


def test_content_of_the_rpm(rpm: pathlib.Path) -> None:
    rows = run("rpm", "-qp", "--qf", "[%{filenames} %{fileusername}:%{filegroupname} %{filemodes:perms}\n]", rpm)
    found = {name: mode for name, owner, mode in map(str.split, rows.splitlines()) if owner == "root:root"}
    assert found == {
        **CONTENT,
        "/usr/lib/kvmmanager-agent": "drwxr-xr-x",
        "/usr/share/doc/kvmmanager-agent": "drwxr-xr-x",
    }
    # Both: a configuration file, which an upgrade does not replace.
    assert run("rpm", "-qp", "--configfiles", rpm) == "/etc/kvmmanager-agent.json\n"
    flags = run("rpm", "-qp", "--qf", "[%{filenames} %{fileflags:fflags}\n]", rpm).splitlines()
    assert "/etc/kvmmanager-agent.json cn" in flags


def test_needs_and_header_of_the_rpm(rpm: pathlib.Path) -> None:
    needs = run("rpm", "-qp", "--requires", rpm).splitlines()
    assert {need for need in needs if not need.startswith("rpmlib(")} == {
        "(platform-python or python3 >= 3.6)",
        "/bin/sh",
    }
    header = run(
        "rpm", "-qp", "--qf", "%{name} %{version}-%{release} %{arch} %{os} %{license} %{payloadcompressor}", rpm
    )
    assert header == f"kvmmanager-agent {VERSION}-1 noarch linux GPL-3.0-or-later gzip"
    assert "%{" not in run("rpm", "-qp", "--scripts", rpm), "a macro that this machine does not have"


def test_scripts_of_the_rpm(rpm: pathlib.Path, tmp_path: pathlib.Path) -> None:
    tags = [tag for tag in ("prein", "postin", "preun", "postun", "posttrans") if scriptlet(rpm, tag)]
    assert tags == ["postin", "postun"]
    for tag in tags:
        script = tmp_path / tag
        script.write_text("#!/bin/sh\n" + scriptlet(rpm, tag), encoding="ascii")
        run("shellcheck", "--shell=sh", script)
    # The removal of the old package that ends an upgrade, and one that is meant.
    assert calls_of(scriptlet(rpm, "postun"), "1", tmp_path) == []
    assert "systemctl daemon-reload" in calls_of(scriptlet(rpm, "postun"), "0", tmp_path)
    assert ASKED_TO_LEAVE in calls_of(scriptlet(rpm, "postin"), "2", tmp_path)


def scriptlet(rpm: pathlib.Path, tag: str) -> str:
    text = run("rpm", "-qp", "--qf", f"%{{{tag}}}", rpm)
    return "" if text == "(none)" else text


def test_the_launcher() -> None:
    run("shellcheck", FILES / "kvmmanager-agent")


def test_the_default_configuration_allows_facts_only(packages: pathlib.Path) -> None:
    config = FILES / "kvmmanager-agent.json"
    assert json.loads(config.read_text(encoding="ascii")) == {"profile": "monitor"}
    run(packages / "kvmmanager-agent.pyz", "--check-config", "--config", config)


@pytest.mark.parametrize("page", ["kvmmanager-agent.8", "kvmmanager-agent.json.5"])
def test_manual_pages(page: str) -> None:
    command: list[str | pathlib.Path] = ["man", "--warnings=w", "--local-file", FILES / page]
    done = subprocess.run(
        command, env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "SEE ALSO" in done.stdout


def test_the_manual_knows_every_option_and_key(packages: pathlib.Path, tmp_path: pathlib.Path) -> None:
    options = run(packages / "kvmmanager-agent.pyz", "--help")
    manual = (FILES / "kvmmanager-agent.8").read_text(encoding="ascii").replace("\\-", "-")
    for option in ("--config", "--port", "--check-config", "--version"):
        assert option in options
        assert option in manual
    keys = (FILES / "kvmmanager-agent.json.5").read_text(encoding="ascii")
    top = ["profile", "methods", "paths", "programs", "limits", "port"]
    inner = ["allow", "block", "read", "write", "concurrent", "output", "file_size", "seconds"]
    refused = tmp_path / "agent.json"
    refused.write_text('{"unknown": 1}', encoding="ascii")
    command: list[str | pathlib.Path] = [packages / "kvmmanager-agent.pyz", "--check-config", "--config", refused]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert said.rstrip().endswith("it may have profile, port, methods, paths, programs, limits")
    for key in top + inner:
        assert re.search(rf"^\.BR? {key}\b", keys, re.MULTILINE), key
