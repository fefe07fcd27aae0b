# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of the lab: python -m tests.lab --help."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from . import images
from .errors import LabError
from .lab import DEFAULT_HOSTS, DEFAULT_NAME, Lab, is_alive, remove_left_behind
from .model import parse_host, subnet
from .requirements import check_for_hosts, packages
from .run import say
from .state import State, load, load_all


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit status."""
    options = _parser().parse_args(argv)
    try:
        options.command(options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; what was started is removed", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description="Real libvirt hosts on this machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    named = argparse.ArgumentParser(add_help=False)
    named.add_argument("--name", default=DEFAULT_NAME, help="name of the lab (KVMMANAGER_LAB_NAME, else 'lab')")

    up = commands.add_parser("up", parents=[named], help="start a lab; it stays until `down`")
    up.add_argument(
        "hosts", nargs="*", metavar="HOST[:RELEASE][,sasl][,tls][,ssh]", help="default: h1:bookworm h2:trixie"
    )
    up.set_defaults(command=_up)
    down = commands.add_parser("down", parents=[named], help="stop a lab, also one that crashed")
    down.set_defaults(command=_down)
    cleanup = commands.add_parser("cleanup", help="remove all that crashed runs left behind; running labs stay")
    cleanup.set_defaults(command=_cleanup)
    status = commands.add_parser("status", help="list the labs of this machine")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(command=_status)
    image = commands.add_parser("image", help="print the path of a guest's image, building it the first time")
    image.add_argument("kind", choices=["cloud", "tiny"])
    image.set_defaults(command=_image)
    commands.add_parser("requirements", help="list the Debian packages it needs").set_defaults(command=_requirements)
    return parser


def _up(options: argparse.Namespace) -> None:
    hosts = [parse_host(text) for text in options.hosts] or list(DEFAULT_HOSTS)
    state = load(options.name)
    if state is not None and is_alive(state) and state.owner is None and state.hosts == hosts:
        say(f"lab {options.name!r} is up already")
    else:
        Lab(options.name, hosts).up()
    for host in Lab.attach(options.name).hosts:
        print(f"{host.name} {host.uri}")


def _down(options: argparse.Namespace) -> None:
    check_for_hosts([])
    known = load(options.name) is not None
    Lab(options.name).down()
    say(f"lab {options.name!r} is {'down' if known else 'not there; nothing to do'}")


def _cleanup(_options: argparse.Namespace) -> None:
    check_for_hosts([])
    if not remove_left_behind():
        say("nothing was left behind")


def _status(options: argparse.Namespace) -> None:
    states = load_all()
    if options.json:
        print(json.dumps([_describe(state) for state in states], indent=2))
        return
    if not states:
        print("no lab; start one with `python -m tests.lab up`")
    for state in states:
        condition = "up" if is_alive(state) else "left behind by a crash; `down` removes it"
        print(f"{state.name}: {condition}, network {subnet(state.number)}, shared folder {state.folder}/shared")
        if is_alive(state):
            for host in Lab.attach(state.name).hosts:
                print(f"  {host.name}: Debian {host.release}, {host.uri}")


def _describe(state: State) -> dict[str, object]:
    alive = is_alive(state)
    hosts = Lab.attach(state.name).hosts if alive else []
    return {
        "name": state.name,
        "up": alive,
        "shared": f"{state.folder}/shared",
        "hosts": [{"name": host.name, "release": host.release, "uri": host.uri} for host in hosts],
    }


def _image(options: argparse.Namespace) -> None:
    print(images.cloud() if options.kind == "cloud" else images.tiny().disk)


def _requirements(_options: argparse.Namespace) -> None:
    print("\n".join(packages()))


if __name__ == "__main__":
    sys.exit(main())
