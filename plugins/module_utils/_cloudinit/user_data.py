# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``user-data`` and ``vendor-data`` may be, told by their first line.

Formats: https://cloudinit.readthedocs.io/en/latest/explanation/format/index.html
"""

from __future__ import annotations

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._cloudinit import yaml_text
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

# What each first line must begin with for cloud-init to know the format.
_CLOUD_CONFIG = "#cloud-config"
_ARCHIVE = "#cloud-config-archive"
_TEMPLATE = "## template: jinja"
_OTHERS = ("#!", "#include", "#cloud-boothook", "#part-handler", "#cloud-config-jsonp")
_NOT_YAML = (*_OTHERS, _TEMPLATE)
_MIME = ("content-type:", "mime-version:")


def check_text(text: str, option: str) -> yaml_text.Parsed | None:
    """Check that cloud-init will know what the text is, and read it where it is plain YAML.

    :returns: the data of a cloud-config; None for a script, a template, a MIME message and so on.
    :raises Failure: for a missing header and for wrong YAML, with the line.
    """
    first = text.split("\n", 1)[0].rstrip()
    if first.lower().startswith(_TEMPLATE):
        _check_template(text, option)
        return None
    if first == _CLOUD_CONFIG or first.startswith(_CLOUD_CONFIG + " "):
        return _check_cloud_config(text, option)
    if first.startswith(_ARCHIVE):
        _check_archive(text, option)
        return None
    if not (first.startswith(_OTHERS) or first.lower().startswith(_MIME)):
        raise _no_header(text, option)
    return None


def is_yaml(text: str) -> bool:
    """Whether a document is plain YAML, as far as its first line tells."""
    first = text.split("\n", 1)[0].lower()
    return not first.startswith((*_NOT_YAML, *_MIME))


def _check_cloud_config(text: str, option: str) -> yaml_text.Parsed:
    parsed = yaml_text.parse(text, option)
    if parsed.data is not None and not isinstance(parsed.data, dict):
        line = parsed.line_of(())
        raise Failure(f"{option}, line {line}: a cloud-config must be a mapping at its top, with keys such as 'users'.")
    return parsed


def _check_archive(text: str, option: str) -> None:
    parsed = yaml_text.parse(text, option)
    if not isinstance(parsed.data, list):
        raise Failure(f"{option}, line {parsed.line_of(()) or 1}: a cloud-config-archive must be a list.")


def _check_template(text: str, option: str) -> None:
    """Only the guest can fill a template in; what it will become must stand in its second line."""
    lines = text.split("\n")
    if len(lines) < 2 or not lines[1].startswith("#"):
        raise Failure(
            f"{option}, line 2: after '{_TEMPLATE}' must come what the template makes, for example {_CLOUD_CONFIG}."
        )


def _no_header(text: str, option: str) -> Failure:
    # The first line itself stays out of the message: it may be somebody's password.
    known = ", ".join((_CLOUD_CONFIG, "#!/bin/sh", "#include", _TEMPLATE, "Content-Type: multipart/mixed"))
    advice = f"Put {_CLOUD_CONFIG} there." if _looks_like_cloud_config(text) else f"It must be one of: {known} …"
    return Failure(f"{option}, line 1: cloud-init does not know this text by its first line. {advice}")


def _looks_like_cloud_config(text: str) -> bool:
    try:
        return isinstance(yaml_text.parse(text, "").data, dict)
    except Failure:
        return False
