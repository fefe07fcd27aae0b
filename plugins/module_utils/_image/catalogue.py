# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Named images: the built-in ones, and a user's own file laid over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import yaml_text
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import (
    Failure,
    did_you_mean,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.builtin import IMAGES

_DEBIAN_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Image:
    """One entry of the catalogue, for one architecture.

    :ivar name: the catalogue's own name for it, not an alias.
    :ivar arch: ``x86_64`` or ``aarch64``.
    :ivar url: where the image is.
    :ivar checksum_url: the publisher's list of checksums, in GNU or BSD style.
    :ivar signature_url: the signature of that list; the list itself where it is signed inside.
    :ivar key_fingerprint: of the publisher's key, in hexadecimal digits.
    :ivar format: ``qcow2`` or ``raw``.
    :ivar user: the user whom cloud-init makes by default.
    :ivar firmware: what it boots with: ``bios``, ``uefi``.
    """

    name: str
    arch: str
    url: str
    checksum_url: str | None = None
    signature_url: str | None = None
    key_fingerprint: str | None = None
    format: str = "qcow2"
    user: str | None = None
    firmware: tuple[str, ...] = ("bios", "uefi")
    description: str = ""
    aliases: tuple[str, ...] = field(default=())


_FIELDS = {item.name for item in fields(Image)} - {"name", "arch"}


def find(name: str, arch: str, own: Mapping[str, Any] | None = None) -> Image:
    """The image of a name or of an alias.

    :param own: the user's entries, from `read_own`, which win over the built-in ones.
    :raises Failure: for a name that is not there, with the names that are near.
    """
    entries = {**IMAGES, **(own or {})}
    found = name if name in entries else _alias(name, entries)
    if found is None:
        raise Failure(
            f"There is no image '{name}' in the catalogue.{did_you_mean(name, entries)} "
            "Or give url, or a catalogue of your own."
        )
    return _image(found, arch, entries[found])


def read_own(path: str) -> dict[str, dict[str, Any]]:
    """The entries of a user's catalogue file, YAML or JSON, checked.

    :raises Failure: for a file that cannot be read or an entry that is wrong, with its line.
    """
    try:
        with open(path, encoding="utf-8") as file:
            parsed = yaml_text.parse(file.read(), path)
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"Cannot read the catalogue {path}: {error}.") from error
    entries = parsed.data or {}
    if not isinstance(entries, dict):
        raise Failure(f"{path}: a catalogue is a mapping of image names; see the module's examples.")
    for name, entry in entries.items():
        _check(entry, f"{path}, line {parsed.line_of((name,))}: the image '{name}'")
    return {str(name): entry for name, entry in entries.items()}


def _alias(name: str, entries: Mapping[str, Any]) -> str | None:
    # From the last: the user's own entries come after the built-in ones.
    for candidate in reversed(list(entries)):
        if name in entries[candidate].get("aliases", ()):
            return candidate
    return None


def _image(name: str, arch: str, entry: Mapping[str, Any]) -> Image:
    values = {key: _fill(value, arch) for key, value in entry.items()}
    firmware = tuple(values.pop("firmware", ("bios", "uefi")))
    if arch != "x86_64":  # no BIOS outside the PC
        firmware = tuple(kind for kind in firmware if kind != "bios")
    aliases = tuple(values.pop("aliases", ()))
    return Image(name=name, arch=arch, firmware=firmware, aliases=aliases, **values)


def _fill(value: Any, arch: str) -> Any:
    if not isinstance(value, str):
        return value
    return value.replace("{arch}", arch).replace("{debian_arch}", _DEBIAN_ARCH.get(arch, arch))


def _check(entry: Any, where: str) -> None:
    if not isinstance(entry, dict):
        raise Failure(f"{where} must be a mapping.")
    unknown = set(map(str, entry)) - _FIELDS
    if unknown:
        raise Failure(f"{where} has no field {sorted(unknown)[0]}; it may have {', '.join(sorted(_FIELDS))}.")
    if "url" not in entry:
        raise Failure(f"{where} lacks url.")
    for key, value in entry.items():
        if key in ("aliases", "firmware"):
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise Failure(f"{where}: {key} must be a list of texts.")
        elif not isinstance(value, str):
            raise Failure(f"{where}: {key} must be a text.")
    if entry.get("format", "qcow2") not in ("qcow2", "raw"):
        raise Failure(f"{where}: format must be qcow2 or raw.")
