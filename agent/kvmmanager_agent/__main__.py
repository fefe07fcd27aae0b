# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command ``kvmmanager-agent``: reads the configuration, opens the port, serves it."""

import argparse
import signal
import sys
from typing import List, Optional

# Importing the methods registers them.
from . import VERSION, admin_methods, core_methods, exec_methods, file_methods
from .agent import Agent
from .audit import Audit
from .config import DEFAULT_PATH, Config, ConfigError, describe, load
from .port import Port
from .pythons import PYTHONS

METHOD_MODULES = (admin_methods, core_methods, exec_methods, file_methods)


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; 0 after SIGTERM, SIGUSR1 or when the port was unplugged, 1 when it cannot be served."""
    options = _options(arguments)
    path = options.config or DEFAULT_PATH
    try:
        config = load(path, required=bool(options.config))
    except ConfigError as error:
        return _fail(str(error))
    if options.check_config:
        _say(describe(config))
        return 0
    try:
        port = Port.open(options.port or config.port)
    except OSError as error:
        return _fail(f"cannot open the port {options.port or config.port}: {error.strerror}")
    serve(port, config, path, bool(options.config))
    port.close()
    return 0


def serve(port: Port, config: Config, path: str, required: bool) -> bool:
    """Serve a port in the main thread, which gets the signals; False when the port is gone."""
    audit = Audit()

    def reload() -> None:
        try:
            found = load(path, required)
        except ConfigError as error:
            audit.note(f"the former configuration stays: {error}")
        except Exception as error:
            # No mistake in there, nor one in here, is worth the agent's life.
            audit.note(f"the former configuration stays: {type(error).__name__} while it was read")
        else:
            agent.policy = found.policy
            audit.note("the configuration was read again")
            if found.port != config.port:
                audit.note(f"the port stays {config.port} until the agent starts again")

    agent = Agent(port, config.policy, audit, reload)
    handlers = {
        signal.SIGHUP: lambda _signal, _frame: agent.ask_reload(),
        signal.SIGTERM: lambda _signal, _frame: agent.stop(),
        signal.SIGINT: lambda _signal, _frame: agent.stop(),
        signal.SIGUSR1: lambda _signal, _frame: agent.leave(),
        # Unlike SIG_IGN this keeps the exit status of commands.
        signal.SIGCHLD: lambda _signal, _frame: PYTHONS.reap(),
    }
    for number, handler in handlers.items():
        signal.signal(number, handler)
    # Each signal wakes the loop, even one that does nothing else: a command may have ended.
    signal.set_wakeup_fd(agent.wake_handle)
    try:
        return agent.run()
    finally:
        signal.set_wakeup_fd(-1)
        agent.close()


def _options(arguments: Optional[List[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="kvmmanager-agent", description="Let the host manage this guest through a virtio-serial port."
    )
    parser.add_argument("--config", metavar="FILE", help=f"the configuration (default: {DEFAULT_PATH})")
    parser.add_argument("--port", metavar="DEVICE", help="the port, instead of the one in the configuration")
    parser.add_argument("--check-config", action="store_true", help="say in words what the configuration allows")
    parser.add_argument("--version", action="version", version="%(prog)s " + VERSION)
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    """Print it, with escapes for what the terminal's encoding lacks."""
    encoding = sys.stdout.encoding or "ascii"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _fail(message: str) -> int:
    print(f"kvmmanager-agent: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
