# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx's settings for `make docs`: the guides in docs/ and the reference that antsibull-docs writes."""

from __future__ import annotations

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

project = "kvmmanager.libvirt"
project_copyright = "2026, kvmmanager contributors"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
include_patterns = [
    "index.rst",
    "*.md",
    "docs/*.md",
    "docs/*/*.md",
    "agent/*.md",
    "roles/*/README.md",
    "collections/**",
]
html_theme = "alabaster"
html_use_index = False
html_copy_source = False
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
default_role = "any"
nitpicky = True
myst_heading_anchors = 3

ANSIBLE_DOCS = "https://docs.ansible.com/ansible/latest"
# Sections of Ansible's own documentation that antsibull-docs and our texts refer to. Its inventory
# would know them all, but building must work without the network.
SECTIONS = {
    "ansible_collections.ansible.builtin.": "collections/ansible/builtin/",
    "ansible_collections.community.libvirt.": "collections/community/libvirt/",
}
PAGES = {
    "ansible_configuration_settings": "reference_appendices/config.html",
    "action_plugins": "plugins/action.html",
    "common_return_values": "reference_appendices/common_return_values.html",
    # What our plugins read, of the settings of Ansible itself.
    **{
        f"ANSIBLE_{name}": f"reference_appendices/config.html#envvar-ANSIBLE_{name}"
        for name in (
            "CACHE_PLUGIN",
            "CACHE_PLUGIN_CONNECTION",
            "CACHE_PLUGIN_PREFIX",
            "CACHE_PLUGIN_TIMEOUT",
            "PIPELINING",
        )
    },
}


def resolve_ansible(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Link a reference into Ansible's documentation; None, and so a warning, for any other."""
    label = node["reftarget"]
    for prefix, folder in SECTIONS.items():
        if label.startswith(prefix):
            page = label.removeprefix(prefix)
            return nodes.reference("", "", content, refuri=f"{ANSIBLE_DOCS}/{folder}{page}.html")
    if label in PAGES:
        return nodes.reference("", "", content, refuri=f"{ANSIBLE_DOCS}/{PAGES[label]}")
    return None


def setup(app: Sphinx) -> None:
    """Take part in the resolution of references."""
    app.connect("missing-reference", resolve_ansible)
