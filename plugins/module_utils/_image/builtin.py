# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cloud images that this collection knows by name: where their publishers keep them.

To add one, add an entry; `catalogue.Image` says what the fields mean. ``{arch}`` becomes ``x86_64``
or ``aarch64``, ``{debian_arch}`` becomes ``amd64`` or ``arm64``. A name with a release never moves to
another one.
"""

from __future__ import annotations

from typing import Any

_DEBIAN = "https://cloud.debian.org/images/cloud"
_UBUNTU = "https://cloud-images.ubuntu.com/releases"
_FEDORA = "https://download.fedoraproject.org/pub/fedora/linux/releases"
_CENTOS = "https://cloud.centos.org/centos"
_ALMA = "https://repo.almalinux.org/almalinux"
_ROCKY = "https://dl.rockylinux.org/pub/rocky"
_OPENSUSE = "https://download.opensuse.org/distribution/leap"


def _debian(release: str, codename: str, *aliases: str) -> dict[str, Any]:
    """Debian signs its packages and installers, but has no signature for its cloud images."""
    folder = f"{_DEBIAN}/{codename}/latest"
    return {
        "description": f"Debian {release} ({codename})",
        "aliases": [codename, *aliases],
        "url": f"{folder}/debian-{release}-generic-{{debian_arch}}.qcow2",
        "checksum_url": f"{folder}/SHA512SUMS",
        "user": "debian",
    }


def _ubuntu(release: str, codename: str, *aliases: str) -> dict[str, Any]:
    folder = f"{_UBUNTU}/{codename}/release"
    return {
        "description": f"Ubuntu {release} LTS ({codename})",
        "aliases": [codename, *aliases],
        "url": f"{folder}/ubuntu-{release}-server-cloudimg-{{debian_arch}}.img",
        "checksum_url": f"{folder}/SHA256SUMS",
        "signature_url": f"{folder}/SHA256SUMS.gpg",
        # UEC Image Automatic Signing Key, in Ubuntu's package ubuntu-cloudimage-keyring.
        "key_fingerprint": "D2EB44626FDDC30B513D5BB71A5D6C4C7DB87C81",
        "user": "ubuntu",
    }


def _fedora(release: str, compose: str, fingerprint: str, *aliases: str) -> dict[str, Any]:
    folder = f"{_FEDORA}/{release}/Cloud/{{arch}}/images"
    checksums = f"{folder}/Fedora-Cloud-{release}-{compose}-{{arch}}-CHECKSUM"
    return {
        "description": f"Fedora Cloud {release}",
        "aliases": list(aliases),
        "url": f"{folder}/Fedora-Cloud-Base-Generic-{release}-{compose}.{{arch}}.qcow2",
        "checksum_url": checksums,
        "signature_url": checksums,  # signed in itself
        "key_fingerprint": fingerprint,  # https://fedoraproject.org/security
        "user": "fedora",
    }


def _centos(release: str) -> dict[str, Any]:
    """CentOS does not sign its cloud images."""
    folder = f"{_CENTOS}/{release}-stream/{{arch}}/images"
    url = f"{folder}/CentOS-Stream-GenericCloud-{release}-latest.{{arch}}.qcow2"
    return {
        "description": f"CentOS Stream {release}",
        "aliases": [f"centos-{release}", f"stream-{release}"],
        "url": url,
        "checksum_url": f"{url}.SHA256SUM",
        "user": "cloud-user",
    }


def _almalinux(release: str, fingerprint: str) -> dict[str, Any]:
    folder = f"{_ALMA}/{release}/cloud/{{arch}}/images"
    return {
        "description": f"AlmaLinux {release}",
        "aliases": [f"alma-{release}"],
        "url": f"{folder}/AlmaLinux-{release}-GenericCloud-latest.{{arch}}.qcow2",
        "checksum_url": f"{folder}/CHECKSUM",
        "signature_url": f"{folder}/CHECKSUM.asc",
        "key_fingerprint": fingerprint,  # https://almalinux.org/security/
        "user": "almalinux",
    }


def _rocky(release: str) -> dict[str, Any]:
    """Rocky Linux has no signature for its cloud images."""
    folder = f"{_ROCKY}/{release}/images/{{arch}}"
    url = f"{folder}/Rocky-{release}-GenericCloud-Base.latest.{{arch}}.qcow2"
    return {
        "description": f"Rocky Linux {release}",
        "aliases": [f"rockylinux-{release}"],
        "url": url,
        "checksum_url": f"{url}.CHECKSUM",
        "user": "rocky",
    }


def _opensuse(release: str, prefix: str) -> dict[str, Any]:
    url = f"{_OPENSUSE}/{release}/appliances/{prefix}Leap-{release}-Minimal-VM.{{arch}}-Cloud.qcow2"
    return {
        "description": f"openSUSE Leap {release}",
        "aliases": [f"leap-{release}"],
        "url": url,
        "checksum_url": f"{url}.sha256",
        "signature_url": f"{url}.sha256.asc",
        # openSUSE Project Signing Key
        "key_fingerprint": "AD485664E901B867051AB15F35A2F86E29B700A4",
        "user": "opensuse",
    }


IMAGES: dict[str, dict[str, Any]] = {
    "debian-12": _debian("12", "bookworm"),
    "debian-13": _debian("13", "trixie", "debian"),
    "ubuntu-22.04": _ubuntu("22.04", "jammy"),
    "ubuntu-24.04": _ubuntu("24.04", "noble", "ubuntu"),
    "fedora-43": _fedora("43", "1.6", "C6E7F081CF80E13146676E88829B606631645531"),
    "fedora-44": _fedora("44", "1.7", "36F612DCF27F7D1A48A835E4DBFCF71C6D9F90A6", "fedora"),
    "centos-stream-9": _centos("9"),
    "centos-stream-10": _centos("10"),
    "almalinux-9": _almalinux("9", "BF18AC2876178908D6E71267D36CB86CB86B3716"),
    "almalinux-10": _almalinux("10", "EE6DB7B98F5BF5EDD9DA0DE5DEE5C11CC2A1E572"),
    "rocky-9": _rocky("9"),
    "rocky-10": _rocky("10"),
    "opensuse-leap-15.6": _opensuse("15.6", "openSUSE-"),
    "opensuse-leap-16.0": _opensuse("16.0", ""),
}
