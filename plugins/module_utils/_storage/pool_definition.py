# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A storage pool's XML: from a task's options, and what of it a person sees. Pure.

The format: https://libvirt.org/formatstorage.html#storage-pool-xml
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._storage.permissions import clean_mode
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.fields import (
    INTEGER,
    Field,
    Kind,
    patch_fields,
    read_fields,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.merge import merge
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.tree import (
    Element,
    child,
    clone,
    parse,
    remove,
    same,
    text_at,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._xml.view import view


def clean_path(value: Any, option: str) -> str:
    """An absolute path as libvirt writes it: no slash twice or at its end."""
    path = re.sub("/+", "/", str(value))
    if not path.startswith("/"):
        raise Failure(f"{option}: '{value}' is not an absolute path. Write a path that begins with a slash.")
    return path.rstrip("/") or "/"


def clean_uuid(value: str) -> str:
    """A uuid as libvirt writes it."""
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise Failure(f"uuid: '{value}' is not a uuid such as 59e7d872-c14c-400d-9765-c707e77576b1.") from None


def _clean_id(value: str, option: str) -> str | None:
    """The number of a user or group; None for libvirt's -1, "leave it as it is", which it does not keep."""
    if value == "-1":
        return None
    if not value.isdecimal():
        raise Failure(f"{option}: '{value}' is not the number of a user or group.")
    return value


MODE = Kind(read=lambda text: text.zfill(4), write=str, clean=clean_mode)
PATH = Kind(read=str, write=str, clean=clean_path)

FIELDS = (
    Field("type", "@type"),
    Field("path", "target/path", PATH),
    Field("mode", "target/permissions/mode", MODE),
    Field("owner", "target/permissions/owner", INTEGER),
    Field("group", "target/permissions/group", INTEGER),
)

# What libvirt writes in other words than a user may.
_AS_WRITTEN: dict[str, Callable[[str, str], str | None]] = {
    "uuid": lambda value, _option: clean_uuid(value),
    "target/path": clean_path,
    "target/permissions/mode": clean_mode,
    "target/permissions/owner": _clean_id,
    "target/permissions/group": _clean_id,
}

# Figures that libvirt puts into a pool's XML and ignores when it is given back.
_FIGURES = ("capacity", "allocation", "available")


def define(stored: Element | None, params: dict[str, Any]) -> Element:
    """The pool that the options ask for, laid over the one that libvirt holds.

    :param stored: its persistent configuration, None where there is no such pool.
    :raises Failure: for options that make no pool, or another pool than there is.
    """
    given = _given(params)
    pool = _new(params, given) if stored is None else _without_figures(stored)
    if given is not None:
        merge(pool, given)
    if params.get("uuid"):
        child(pool, "uuid").text = clean_uuid(params["uuid"])
    patch_fields(pool, FIELDS, {option: params.get(option) for option in ("path", "mode", "owner", "group")})
    if stored is not None:
        _check_same_pool(stored, pool, params["name"])
    return pool


def is_as_defined(stored: Element, target: Element) -> bool:
    """Whether storing ``target``, which `define` returned, would change nothing."""
    return same(_without_figures(stored), target)


def settings(pool: Element) -> dict[str, Any]:
    """What a person can set about a pool: its options, and under ``xml`` what no other option reaches."""
    rest = clone(pool)
    for path in ("name", "uuid", *_FIGURES, "target/path", "target/permissions"):
        remove(rest, path)
    rest.attrib.pop("type", None)
    seen = view(rest)
    other = {key: value for key, value in seen.items() if value is not True} if isinstance(seen, dict) else {}
    return {**read_fields(pool, FIELDS), **({"xml": other} if other else {})}


def _given(params: dict[str, Any]) -> Element | None:
    """The option ``xml`` as libvirt would write it."""
    if params.get("xml") is None:
        return None
    pool = parse(params["xml"], "The option xml")
    if pool.tag != "pool":
        raise Failure(f"The option xml holds a <{pool.tag}>, not the <pool> of a storage pool.")
    name = text_at(pool, "name")
    if name not in (None, params["name"]):
        raise Failure(f"The option xml names the pool '{name}', the option name '{params['name']}'.")
    pool = _without_figures(pool)
    for path, clean in _AS_WRITTEN.items():
        found = pool.find(path)
        if found is not None:
            found.text = clean((found.text or "").strip(), f"xml ({path})")
            if found.text is None:
                remove(pool, path)
    return pool


def _without_figures(pool: Element) -> Element:
    definition = clone(pool)
    for figure in _FIGURES:
        remove(definition, figure)
    return definition


def _new(params: dict[str, Any], given: Element | None) -> Element:
    name = params["name"]
    if given is None and params.get("path") is None:
        raise Failure(f"There is no storage pool '{name}' yet: give the path of its directory, or its xml.")
    if given is not None and given.get("type") is None:
        raise Failure("The option xml does not say of which type the pool is, such as <pool type='dir'>.")
    pool = Element("pool", {"type": "dir"})
    child(pool, "name").text = name
    return pool


def _check_same_pool(stored: Element, target: Element, name: str) -> None:
    """Refuse what libvirt cannot change about a pool."""
    for what, there, asked in (
        ("type", stored.get("type"), target.get("type")),
        ("uuid", text_at(stored, "uuid"), text_at(target, "uuid")),
    ):
        if asked != there:
            raise Failure(
                f"The storage pool '{name}' has the {what} {there}, not {asked}, and that cannot change. Choose "
                "another name, or remove the pool first: state=absent keeps the data that it holds."
            )
