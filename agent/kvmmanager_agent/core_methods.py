# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Methods about the agent and the machine."""

import time
from typing import Any, Dict

from .linux import disks, logins, metrics, network, power, processes, system
from .params import integer, optional
from .registry import method
from .sessions import agent_info


@method("ping", "monitor", instant=True)
def ping(_job: Any, _params: Dict[str, Any]) -> Dict[str, Any]:
    """Answer at once, with the agent's clock."""
    return {"clock": round(time.monotonic(), 3)}


@method("get_agent_info", "monitor", instant=True)
def get_agent_info(job: Any, _params: Dict[str, Any]) -> Dict[str, Any]:
    """Who the agent is and what it allows, as hello tells it."""
    return agent_info(job.policy)


@method("get_system_info", "monitor")
def get_system_info(_job: Any, _params: Dict[str, Any]) -> Dict[str, Any]:
    """The machine and its system."""
    return system.system_info()


@method("get_network_info", "monitor")
def get_network_info(_job: Any, _params: Dict[str, Any]) -> Dict[str, Any]:
    """Interfaces, addresses, gateways and name servers."""
    return network.network_info()


@method("get_disk_usage", "monitor")
def get_disk_usage(_job: Any, _params: Dict[str, Any]) -> Dict[str, Any]:
    """How full the local file systems are."""
    return {"filesystems": disks.disk_usage()}


@method("get_metrics", "monitor")
def get_metrics(_job: Any, _params: Dict[str, Any]) -> Dict[str, Any]:
    """Counters since boot, and what is in use now."""
    return metrics.metrics()


@method("get_processes", "monitor", {"after": optional(integer(0, 2**31), 0), "limit": optional(integer(1, 500), 200)})
def get_processes(_job: Any, params: Dict[str, Any]) -> Dict[str, Any]:
    """The processes that run, in the order of their numbers."""
    return processes.processes(params["after"], params["limit"])


@method("get_sessions", "monitor")
def get_sessions(_job: Any, _params: Dict[str, Any]) -> Dict[str, Any]:
    """Who is logged in."""
    return {"sessions": logins.sessions()}


@method("shutdown", "full")
def shutdown(_job: Any, _params: Dict[str, Any]) -> Dict[str, Any]:
    """Power the machine off. The answer may be lost with the machine."""
    power.order(power.POWER_OFF)
    return {}


@method("reboot", "full")
def reboot(_job: Any, _params: Dict[str, Any]) -> Dict[str, Any]:
    """Restart the machine. The answer may be lost with the machine."""
    power.order(power.REBOOT)
    return {}
