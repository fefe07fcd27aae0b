# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small HTTP server of images, for tests: ranges, ETags, transfers that break off, a log of what was asked.

    python3 image_server.py FOLDER PORT_FILE LOG

serves FOLDER on a free port of the loopback, writes the port to PORT_FILE once it listens, and appends
``METHOD PATH RANGE`` for each request to LOG. An address that begins with ``/broken/`` breaks each transfer off
after 64 KiB; one that begins with ``/plain/`` knows neither ranges nor ETags, and breaks the first transfer off. A
DELETE request ends the server.
"""

from __future__ import annotations

import hashlib
import http.server
import os
import pathlib
import sys
import threading
from typing import IO

_BREAK_AFTER = 64 * 1024


class ImageServer(http.server.ThreadingHTTPServer):
    """Serves one folder; `requests` has what was asked."""

    daemon_threads = True

    def __init__(self, folder: pathlib.Path, log: IO[str] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.requests: list[str] = []
        self._log = log

    @property
    def url(self) -> str:
        """The address of the folder."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def note(self, line: str) -> None:
        """Remember one request."""
        self.requests.append(line)
        if self._log is not None:
            print(line, file=self._log, flush=True)


class _Handler(http.server.BaseHTTPRequestHandler):
    server: ImageServer

    def do_GET(self) -> None:
        self._answer(with_content=True)

    def do_HEAD(self) -> None:
        self._answer(with_content=False)

    def do_DELETE(self) -> None:
        self.send_response(204)
        self.end_headers()
        threading.Thread(target=self.server.shutdown).start()  # it waits for this answer

    def log_message(self, format: str, *args: object) -> None:
        """Standard error stays quiet."""

    def _answer(self, with_content: bool) -> None:
        is_first = not self.server.requests
        self.server.note(f"{self.command} {self.path} {self.headers.get('Range', '-')}")
        kind, name = self._kind_and_name()
        path = self.server.folder / name
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        start = 0 if kind == "plain" else self._start(etag)
        if start >= len(content) > 0:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if kind != "plain":
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if with_content:
            breaks_off = kind == "broken" or (kind == "plain" and is_first)
            self.wfile.write(content[start : start + _BREAK_AFTER] if breaks_off else content[start:])

    def _kind_and_name(self) -> tuple[str, str]:
        first, _slash, rest = self.path.lstrip("/").partition("/")
        return (first, rest) if first in ("broken", "plain") else ("", self.path.lstrip("/"))

    def _start(self, etag: str) -> int:
        asked = self.headers.get("Range", "")
        same = self.headers.get("If-Range", etag) == etag
        return int(asked[len("bytes=") :].split("-")[0]) if asked.startswith("bytes=") and same else 0


def main() -> None:
    """Serve until somebody asks to end."""
    folder, port_file, log = map(pathlib.Path, sys.argv[1:4])
    with log.open("a") as file, ImageServer(folder, file) as server:
        part = port_file.with_suffix(".part")
        part.write_text(str(server.server_address[1]))
        os.replace(part, port_file)
        server.serve_forever()


if __name__ == "__main__":
    main()
