# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian's packages for a machine that has a way to this one and to nowhere else."""

from __future__ import annotations

import contextlib
import http.server
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

from tests.lab.debian import MIRROR

_PATIENCE = 60  # seconds for the mirror behind this one to answer


@contextlib.contextmanager
def mirror_at(address: str) -> Iterator[str]:
    """Serve the lab's mirror at an address of this machine; the URL for apt."""
    with http.server.ThreadingHTTPServer((address, 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{address}:{server.server_port}/"
        finally:
            server.shutdown()


class _Handler(http.server.BaseHTTPRequestHandler):
    """Passes a request on, and the answer back as it comes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # noqa: N802 (the base class calls it so)
        """Answer with what the mirror has there."""
        try:
            with urllib.request.urlopen(MIRROR + self.path, timeout=_PATIENCE) as answer:
                self.send_response(200)
                self.send_header("Content-Length", answer.headers["Content-Length"])
                self.end_headers()
                shutil.copyfileobj(answer, self.wfile)
        except urllib.error.URLError as error:
            self.send_error(error.code if isinstance(error, urllib.error.HTTPError) else 502)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: apt tells what it misses."""
