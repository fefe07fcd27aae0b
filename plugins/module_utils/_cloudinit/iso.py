# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A NoCloud seed as an ISO 9660 image: documents to bytes, and back.

cloud-init looks for a volume named ``cidata`` with the files in its root:
https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import iso_dates
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit.libraries import require
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

VOLUME_ID = "cidata"

# Seeds are padded to a multiple of this, so that a small edit leaves the size of a volume as it is.
STEP = 128 * 1024

# What a seed may have at most: far more than cloud-init's documents need, far less than a disk.
LARGEST = 64 * 1024 * 1024

_DESCRIPTOR = 16 * 2048

# What pycdlib raises, besides its own exceptions, for an image that was cut off or is damaged.
_OF_DAMAGE = (struct.error, LookupError, ValueError, StopIteration)


def build(documents: Mapping[str, str]) -> bytes:
    """The seed that holds these documents: the same bytes for the same documents, always.

    :param documents: file name → text.
    :raises Failure: when pycdlib is missing or the documents are too large.
    """
    pycdlib = require("pycdlib")
    image = pycdlib.PyCdlib()
    image.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=VOLUME_ID)
    for name, text in documents.items():
        content = text.encode()
        image.add_fp(
            io.BytesIO(content),
            len(content),
            f"/{name.upper().replace('-', '_')}.;1",
            rr_name=name,
            joliet_path=f"/{name}",
        )
    written = io.BytesIO()
    image.write_fp(written)
    image.close()
    seed = bytearray(written.getbuffer())
    iso_dates.pin(seed)
    seed.extend(bytes(-len(seed) % STEP))
    if len(seed) > LARGEST:
        raise Failure(f"The documents of a seed may have {LARGEST // 1024**2} MiB together; these have more.")
    return bytes(seed)


def is_seed(content: bytes) -> bool:
    """Whether bytes begin like an ISO 9660 image named ``cidata``."""
    descriptor = content[_DESCRIPTOR : _DESCRIPTOR + 72]
    return descriptor[1:6] == b"CD001" and descriptor[40:72].strip().lower() == VOLUME_ID.encode()


def read(content: bytes) -> dict[str, str] | None:
    """The documents of a seed, ours or anybody's; None for bytes that are not a sound one."""
    if not is_seed(content):
        return None
    pycdlib = require("pycdlib")
    image = pycdlib.PyCdlib()
    try:
        image.open_fp(io.BytesIO(content))
        try:
            facade = image.get_rock_ridge_facade() if image.has_rock_ridge() else image.get_joliet_facade()
            return {name: _text(facade, name) for name in _names(facade)}
        finally:
            image.close()
    except (pycdlib.pycdlibexception.PyCdlibException, *_OF_DAMAGE):
        return None


def _names(facade: Any) -> list[str]:
    _root, _folders, files = next(iter(facade.walk("/")))
    return [str(name) for name in files]


def _text(facade: Any, name: str) -> str:
    content = io.BytesIO()
    facade.get_file_from_iso_fp(content, f"/{name}")
    return content.getvalue().decode()
