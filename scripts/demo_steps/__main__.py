# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of the demo: scripts/demo, scripts/demo --clean."""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from ansible.plugins.loader import init_plugin_loader

from .common import FOLDER, ROOT, DemoError, remember, remembered, say, shown

_VARIABLES = """\
variables, of the environment or behind make:
  KVMMANAGER_DEMO_URI     the libvirt daemon to use; it may be that of another machine
  KVMMANAGER_DEMO_TYPE    kvm or qemu (emulation) instead of what the demo finds out, or auto to find out again;
                          KVM may be there and boot nothing, in a VM for instance: make demo KVMMANAGER_DEMO_TYPE=qemu
  KVMMANAGER_DEMO_FOLDER  where the demo keeps what it must know the next time (.cache/demo)
"""
_TYPES = ("auto", "kvm", "qemu")


def main(argv: Sequence[str] | None = None) -> int:
    """Make the demo, or with --clean remove it; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="VMs on this machine, from a cloud image.",
        epilog=_VARIABLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--clean", action="store_true", help="remove exactly what the demo made")
    parser.add_argument("--vms", type=int, choices=(1, 2), default=2, help="how many VMs to make (2)")
    options = parser.parse_args(argv)
    init_plugin_loader([str(ROOT / ".cache" / "collections")])  # from here on the collection can be imported
    try:
        clean() if options.clean else make(options.vms)
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted; `make demo` goes on, `make demo-clean` removes what is there", file=sys.stderr)
        return 130
    return 0


def make(vms: int) -> None:
    """Deploy the VMs, then show them as the inventory sees them."""
    from . import ansible, daemon, image, table

    domain_type = chosen_type()
    uri = daemon.choose()
    wanted = {"demo_image": image.choose(), "demo_vm_count": vms}
    if domain_type:
        wanted["demo_type"] = domain_type
    ansible.prepare(uri)
    say("deploying with the playbook kvmmanager.libvirt.demo; booting takes minutes where KVM cannot be used")
    ansible.run_playbook(variables(uri) | wanted)
    say("the inventory plugin kvmmanager.libvirt.libvirt sees them like this:")
    print(flush=True)
    ansible.show_graph()
    listed = ansible.listed()
    print(f"\n{table.address_table(listed)}\n", flush=True)
    print(what_next(uri, has_address=table.has_address(listed)))


def chosen_type() -> str | None:
    """The domain type that a person chose, now or in an earlier run; None where the demo finds out.

    :raises DemoError: there is no such type.
    """
    chosen = os.environ.get("KVMMANAGER_DEMO_TYPE") or remembered("type") or "auto"
    if chosen not in _TYPES:
        raise DemoError(f"KVMMANAGER_DEMO_TYPE is {chosen!r}, which is not one of {', '.join(_TYPES)}.")
    remember("type", chosen)
    return None if chosen == "auto" else chosen


def clean() -> None:
    """Remove the VMs, their volumes, the pool, the network, and what the demo keeps in its folder."""
    from . import ansible, daemon, services

    if not FOLDER.exists():
        say("there is nothing to remove")
        return
    failed = []
    for uri in daemon.used():
        try:
            daemon.start(uri)
            say(f"removing what the demo made on {uri}")
            ansible.prepare(uri)
            ansible.run_playbook(variables(uri) | {"demo_state": "absent"})
            daemon.forget(uri)
        except DemoError as error:
            failed.append(str(error))
    if failed:
        raise DemoError(" ".join(failed))
    services.stop()
    shutil.rmtree(FOLDER)
    say("removed; images that were downloaded or built stay cached below .cache, so that the next demo is quick")


def variables(uri: str) -> dict[str, Any]:
    """The playbook's variables, the same for making and removing."""
    from . import ansible

    found: dict[str, Any] = {"demo_uri": uri}
    found["demo_ssh_key"] = ansible.SSH_KEY.with_suffix(".pub").read_text(encoding="ascii").strip()
    found["demo_image_cache"] = str(image_cache())
    if uri.endswith("/session"):
        found["demo_pool_path"] = str(FOLDER / "pool")
    return found


def image_cache() -> pathlib.Path:
    """Where images are kept: with this tree, or in the demo's folder where the tree is somebody else's, say root's."""
    with_tree = ROOT / ".cache" / "images"
    own = os.access(with_tree if with_tree.exists() else with_tree.parent, os.W_OK)
    return with_tree if own else FOLDER / "images"


def what_next(uri: str, *, has_address: bool) -> str:
    """What a person may try now."""
    from . import ansible

    inventory = shown(ansible.INVENTORY)
    lines = [
        "Try next:",
        "  make demo          again: it changes nothing, and is quick",
        f"  virsh -c {uri} list --all",
        "  . .venv/bin/activate; export ANSIBLE_COLLECTIONS_PATH=$PWD/.cache/collections LC_ALL=C.UTF-8",
        f"  ansible-inventory -i {inventory} --list    all that the inventory knows",
        f"  ansible all -i {inventory} -c kvmmanager.libvirt.guest -a uptime",
        "                     runs a program in the VMs, through the guest agent: no network, no login",
        "  less docs/guide_getting_started.md    how to do the same with hypervisors and VMs of your own",
        "  make demo-clean    removes all of it",
    ]
    if has_address:
        lines.insert(2, f"  ssh -i {shown(ansible.SSH_KEY)} debian@ADDRESS    with an address from the table")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
