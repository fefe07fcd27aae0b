# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of the demo: scripts/demo, scripts/demo --clean."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from ansible.plugins.loader import init_plugin_loader

from .common import FOLDER, ROOT, DemoError, remembered, say


def main(argv: Sequence[str] | None = None) -> int:
    """Make the demo, or with --clean remove it; returns the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description="Two VMs on this machine, from a cloud image.")
    parser.add_argument("--clean", action="store_true", help="remove exactly what the demo made")
    options = parser.parse_args(argv)
    init_plugin_loader([str(ROOT / ".cache" / "collections")])  # from here on the collection can be imported
    try:
        clean() if options.clean else make()
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted; `make demo` goes on, `make demo-clean` removes what is there", file=sys.stderr)
        return 130
    return 0


def make() -> None:
    """Deploy the VMs, then show them as the inventory sees them."""
    from . import ansible, daemon, image, table

    uri = daemon.choose()
    chosen = image.choose()
    ansible.prepare(uri)
    say("deploying two VMs with the playbook kvmmanager.libvirt.demo; booting takes minutes where KVM cannot be used")
    ansible.run_playbook(variables(uri) | {"demo_image": chosen})
    say("the inventory plugin kvmmanager.libvirt.libvirt sees them like this:")
    print(flush=True)
    ansible.show_graph()
    print(f"\n{table.address_table(ansible.listed())}\n", flush=True)
    print(what_next(uri))


def clean() -> None:
    """Remove the VMs, their volumes, the pool, the network, and what the demo keeps in .cache/demo."""
    from . import ansible, daemon

    if not FOLDER.exists():
        say("there is nothing to remove")
        return
    if uri := remembered("uri"):
        if not daemon.answers(uri):
            daemon.start(uri)
        ansible.prepare(uri)
        ansible.run_playbook(variables(uri) | {"demo_state": "absent"})
    daemon.stop_started()
    shutil.rmtree(FOLDER)
    say("removed; images that were downloaded or built stay cached below .cache, so that the next demo is quick")


def variables(uri: str) -> dict[str, Any]:
    """The playbook's variables, the same for making and removing."""
    from . import ansible

    found: dict[str, Any] = {"demo_uri": uri}
    found["demo_ssh_key"] = ansible.SSH_KEY.with_suffix(".pub").read_text(encoding="ascii").strip()
    found["demo_image_cache"] = str(ROOT / ".cache" / "images")
    if uri.endswith("/session"):
        found["demo_pool_path"] = str(FOLDER / "pool")
    return found


def what_next(uri: str) -> str:
    """What a person may try now."""
    from . import ansible

    inventory = ansible.INVENTORY.relative_to(ROOT)
    lines = [
        "Try next:",
        "  make demo          again: it changes nothing, and is quick",
        f"  virsh -c {uri} console kvmmanager-demo-web",
        "  . .venv/bin/activate; export ANSIBLE_COLLECTIONS_PATH=$PWD/.cache/collections",
        f"  ansible-inventory -i {inventory} --list    all that the inventory knows",
        "  less docs/guide_getting_started.md    how to do the same with hypervisors and VMs of your own",
        "  make demo-clean    removes all of it",
    ]
    if not uri.endswith("/session"):
        key = ansible.SSH_KEY.relative_to(ROOT)
        lines.insert(2, f"  ssh -i {key} debian@ADDRESS  with an address from the table")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
