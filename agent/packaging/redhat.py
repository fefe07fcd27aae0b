# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The .rpm, made by rpmbuild on any distribution: Red Hat's own macros for systemd and udev are not used."""

from __future__ import annotations

import pathlib
import textwrap

from . import content

# In an upgrade the new package's %post runs while the old package's files are still there, and the old one's %postun
# with 1: only a removal passes 0.
_SPEC = """Name: {name}
Version: {version}
Release: 1
Summary: {summary}
License: GPL-3.0-or-later
URL: {homepage}
BuildArch: noarch
AutoReqProv: no
# Red Hat 8 has platform-python in every installation, and python3 only on demand.
Requires: (platform-python or python3 >= 3.6)

%description
{description}

%install
cp -a {tree}/. %{{buildroot}}

%files
{files}

%post
{activate}
%postun
if [ "$1" -eq 0 ]; then
{withdraw}fi
"""
_MACROS = {
    # Nothing is compiled, compressed or looked into on the way.
    "__os_install_post": "%{nil}",
    "_build_id_links": "none",
    # Every rpm since 4.6 reads these; the default depends on the distribution that builds.
    "_binary_payload": "w9.gzdio",
    "_source_filedigest_algorithm": "8",
    "_binary_filedigest_algorithm": "8",
    # The same bytes, wherever and whenever it is built.
    "_buildhost": "localhost",
    "use_source_date_epoch_as_buildtime": "1",
    "clamp_mtime_to_source_date_epoch": "1",
    "source_date_epoch_from_changelog": "0",
    "optflags": "%{nil}",
    "_vendor": "kvmmanager",
}


def build(tree: pathlib.Path, target: pathlib.Path, version: str) -> pathlib.Path:
    """Package ``tree``; the file."""
    top = tree.with_name("redhat")
    content.pin(tree)
    version = content.package_version(version)
    spec = top / f"{content.NAME}.spec"
    spec.parent.mkdir()
    spec.write_text(_spec(tree, version), encoding="utf-8")
    macros = {"_topdir": str(top), "_rpmdir": str(top), "_rpmfilename": "built.rpm", **_MACROS}
    defines = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
    content.run(["rpmbuild", "-bb", "--quiet", "--target", "noarch-kvmmanager-linux", *defines, spec])
    return (top / "built.rpm").replace(target / f"{content.NAME}-{version}-1.noarch.rpm")


def _spec(tree: pathlib.Path, version: str) -> str:
    return _SPEC.format(
        name=content.NAME,
        version=version,
        summary=content.SUMMARY[0].upper() + content.SUMMARY[1:],
        homepage=content.HOMEPAGE,
        description=textwrap.fill(content.DESCRIPTION, 78),
        tree=tree,
        files="\n".join(
            map(_file, ["%dir /usr/lib/kvmmanager-agent", "%dir /usr/share/doc/kvmmanager-agent", *content.PATHS])
        ),
        activate=content.script("activate"),
        withdraw=textwrap.indent(content.script("withdraw"), " " * 4),
    )


def _file(path: str) -> str:
    owned = "%attr(-,root,root) "
    if path == content.CONFIGURATION:
        return f"{owned}%config(noreplace) {path}"
    if path.startswith("/usr/share/doc/kvmmanager-agent/"):
        return f"{owned}%doc {path}"
    return owned + path
