# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the guest agent as one file that Python runs: ``python agent/build.py TARGET``."""

from __future__ import annotations

import argparse
import io
import pathlib
import re
import sys
import tokenize
import zipfile

PACKAGE = pathlib.Path(__file__).parent / "kvmmanager_agent"
LIMIT = 64 * 1024  # bytes: it has to fit into a cloud-init seed, and through a slow port

# The oldest Python that is known under this name everywhere; packages put their own line here.
_FIRST_LINE = b"#!/usr/bin/env python3\n"
# The licence of the whole is that of this file.
_LICENCE = b"".join(pathlib.Path(__file__).read_bytes().splitlines(keepends=True)[:3]) + b"\n"
_MAIN = _LICENCE + b"import sys\n\nfrom kvmmanager_agent.__main__ import main\n\nsys.exit(main())\n"
# The same input gives the same bytes, wherever and whenever it is built. Zip knows no earlier date.
_DATE = (1980, 1, 1, 0, 0, 0)

_STATEMENT_BEGINS = (tokenize.ENCODING, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


def build(target: pathlib.Path, version: str | None = None) -> int:
    """Write the agent to ``target``; its size in bytes. SystemExit when that is more than `LIMIT`.

    :param version: what it says it is, instead of its own version.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as handle:
        handle.write(_FIRST_LINE)
        with zipfile.ZipFile(handle, "w") as archive:
            _add(archive, "__main__.py", _MAIN)
            for source in sorted(PACKAGE.rglob("*.py")):
                # The wire format is a link to the collection's file: its text goes in.
                content = source.read_bytes()
                if version and source == PACKAGE / "__init__.py":
                    content = re.sub(rb'(?m)^VERSION = ".*"$', f'VERSION = "{version}"'.encode(), content)
                _add(archive, source.relative_to(PACKAGE.parent).as_posix(), stripped(content))
    target.chmod(0o755)
    size = target.stat().st_size
    if size > LIMIT:
        raise SystemExit(f"{target} has {size} bytes, more than {LIMIT}")
    return size


def stripped(source: bytes) -> bytes:
    """Python without comments and docstrings: in a guest nobody reads them. Each line keeps its number."""
    lines = source.decode("utf-8").splitlines()
    before = tokenize.NEWLINE
    for token in list(tokenize.tokenize(io.BytesIO(source).readline)):
        if token.type == tokenize.COMMENT:
            _cut(lines, token, "")
        elif token.type == tokenize.STRING and before in _STATEMENT_BEGINS:
            # It may be all that a class or function has.
            _cut(lines, token, '""')
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            before = token.type
    return "\n".join([*lines, ""]).encode("utf-8")


def _cut(lines: list[str], token: tokenize.TokenInfo, instead: str) -> None:
    (first, begin), (last, end) = token.start, token.end
    rest = lines[last - 1][end:]
    lines[first - 1] = (lines[first - 1][:begin] + instead + rest).rstrip()
    for number in range(first, last):
        lines[number] = ""


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content, compresslevel=9)


def main() -> int:
    """Build it and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=pathlib.Path)
    target = parser.parse_args().target
    print(f"{target}: {build(target)} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
