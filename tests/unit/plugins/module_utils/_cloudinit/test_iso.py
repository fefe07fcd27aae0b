# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import os
import time

import pycdlib
import pytest

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import iso, iso_dates

DOCUMENTS = {
    "user-data": "#cloud-config\nhostname: web1\n",
    "meta-data": "instance-id: iid-1\n",
    "network-config": "version: 2\n",
    "vendor-data": "#cloud-config\n{}\n",
}


def at_another_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the build ran ten months later, in another time zone."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3e7)
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()


def test_same_documents_give_the_same_bytes_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    first = iso.build(DOCUMENTS)
    with monkeypatch.context() as patch:
        at_another_time(patch)
        second = iso.build(DOCUMENTS)
    time.tzset()
    assert first == second


def test_unpinned_images_do_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards the test above: without the pinning it has to fail."""
    monkeypatch.setattr(iso_dates, "pin", lambda image: None)
    first = iso.build(DOCUMENTS)
    with monkeypatch.context() as patch:
        at_another_time(patch)
        second = iso.build(DOCUMENTS)
    time.tzset()
    assert first != second


def test_pinned_image_still_opens_and_says_the_pinned_date() -> None:
    image = pycdlib.PyCdlib()
    image.open_fp(io.BytesIO(iso.build(DOCUMENTS)))
    record = image.get_record(rr_path="/user-data")
    assert (record.date.years_since_1900, record.date.month, record.date.day_of_month) == (80, 1, 1)
    assert image.pvd.volume_identifier.strip() == b"cidata"
    image.close()


def test_documents_come_back_as_they_were() -> None:
    assert iso.read(iso.build(DOCUMENTS)) == DOCUMENTS


def test_text_outside_ascii_survives() -> None:
    documents = {"user-data": "#cloud-config\nmotd: Grüße 🐧\n", "meta-data": "instance-id: ü\n"}
    assert iso.read(iso.build(documents)) == documents


def test_small_edits_leave_the_size_as_it_is() -> None:
    longer = {**DOCUMENTS, "user-data": DOCUMENTS["user-data"] + "a: b\n" * 2000}
    assert len(iso.build(longer)) == len(iso.build(DOCUMENTS)) == iso.STEP


def test_large_documents_survive() -> None:
    documents = {"user-data": "#!/bin/sh\n" + "x" * 3_000_000, "meta-data": "instance-id: a\n"}
    content = iso.build(documents)
    assert len(content) % iso.STEP == 0
    assert iso.read(content) == documents


def test_other_peoples_seed_is_read() -> None:
    image = pycdlib.PyCdlib()
    image.new(joliet=3, vol_ident="CIDATA")
    image.add_fp(io.BytesIO(b"#!/bin/sh\n"), 10, "/USERDATA.;1", joliet_path="/user-data")
    written = io.BytesIO()
    image.write_fp(written)
    image.close()
    assert iso.read(written.getvalue()) == {"user-data": "#!/bin/sh\n"}


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 100_000, b"QFI\xfb" + b"\0" * 70_000], ids=["empty", "zeros", "qcow2"]
)
def test_what_is_no_seed_is_not_read(content: bytes) -> None:
    assert not iso.is_seed(content)
    assert iso.read(content) is None


def test_a_seed_that_was_cut_off_is_not_read() -> None:
    content = iso.build(DOCUMENTS)
    for length in range(16 * 2048 + 72, 20 * 2048, 101):
        assert iso.read(content[:length]) is None


def test_random_bytes_after_the_descriptor_do_no_harm() -> None:
    content = bytearray(iso.build(DOCUMENTS))
    content[17 * 2048 :] = os.urandom(len(content) - 17 * 2048)
    assert iso.read(bytes(content)) is None
