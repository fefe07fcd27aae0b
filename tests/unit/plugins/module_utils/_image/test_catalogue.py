# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
from urllib.parse import urlsplit

import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image import catalogue
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._image.builtin import IMAGES


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_every_entry_is_complete(name: str, arch: str) -> None:
    image = catalogue.find(name, arch)
    for url in filter(None, (image.url, image.checksum_url, image.signature_url)):
        parts = urlsplit(url)
        assert parts.scheme == "https"
        assert parts.path.rpartition("/")[2]
        assert "{" not in url
    assert image.user
    assert image.checksum_url
    assert bool(image.signature_url) == bool(image.key_fingerprint)
    assert {"x86_64": ("bios", "uefi"), "aarch64": ("uefi",)}[arch] == image.firmware


def test_aliases_are_unambiguous() -> None:
    aliases = [alias for entry in IMAGES.values() for alias in entry["aliases"]]
    assert len(aliases) == len(set(aliases))
    assert not set(aliases) & set(IMAGES)


def test_an_alias_leads_to_its_image() -> None:
    assert catalogue.find("bookworm", "x86_64").name == "debian-12"
    assert catalogue.find("ubuntu", "aarch64").url.endswith("ubuntu-24.04-server-cloudimg-arm64.img")


def test_an_unknown_name_says_what_is_near() -> None:
    with pytest.raises(Failure) as failure:
        catalogue.find("debain-12", "x86_64")
    assert failure.value.message.startswith("There is no image 'debain-12' in the catalogue. Did you mean 'debian-12'")


def test_own_entries_win(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "images.yml"
    path.write_text(
        "debian-12:\n  url: https://mirror.example.com/{arch}/{debian_arch}.raw\n  format: raw\n"
        "appliance:\n  url: https://example.com/a.qcow2\n  firmware: [uefi]\n  aliases: [trixie]\n"
    )
    own = catalogue.read_own(str(path))
    assert catalogue.find("debian-12", "aarch64", own).url == "https://mirror.example.com/aarch64/arm64.raw"
    assert catalogue.find("trixie", "x86_64", own).name == "appliance"
    assert catalogue.find("trixie", "x86_64", own).firmware == ("uefi",)
    assert catalogue.find("rocky-9", "x86_64", own).user == "rocky"


def test_json_is_a_catalogue_too(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "images.json"
    path.write_text('{"a": {"url": "https://example.com/a.qcow2"}}')
    assert list(catalogue.read_own(str(path))) == ["a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "a catalogue is a mapping of image names"),
        ("a: b\n", "line 1: the image 'a' must be a mapping."),
        ("a:\n  url: https://x/y\nb:\n  user: me\n", "line 3: the image 'b' lacks url."),
        ("a:\n  url: https://x/y\n  size: 5\n", "line 1: the image 'a' has no field size; it may have aliases"),
        ("a:\n  url: 5\n", "line 1: the image 'a': url must be a text."),
        ("a:\n  url: https://x/y\n  firmware: uefi\n", "line 1: the image 'a': firmware must be a list of texts."),
        ("a:\n  url: https://x/y\n  format: vmdk\n", "line 1: the image 'a': format must be qcow2 or raw."),
        ("a:\n  url: 'x\n", "this is not YAML"),
    ],
)
def test_a_wrong_catalogue_names_the_line(tmp_path: pathlib.Path, text: str, message: str) -> None:
    path = tmp_path / "images.yml"
    path.write_text(text)
    with pytest.raises(Failure) as failure:
        catalogue.read_own(str(path))
    assert message in failure.value.message
    assert failure.value.message.startswith(str(path))


def test_a_missing_catalogue() -> None:
    with pytest.raises(Failure, match="Cannot read the catalogue /nonexistent"):
        catalogue.read_own("/nonexistent")
