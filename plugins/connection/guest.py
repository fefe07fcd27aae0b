# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: guest
short_description: Runs tasks in a virtual machine through its guest agent, without a network
version_added: 0.1.0
author:
  - kvmmanager contributors (@kvmmanager)
description:
  - Runs any module in a virtual machine (domain) of libvirt that has no network, no SSH and no open port.
    What it needs is an agent in the guest, on a virtio-serial port of the domain.
  - It talks to the agent of this collection, C(kvmmanager-agent), or to C(qemu-guest-agent), which is slower.
  - The controller opens the hypervisor's libvirt daemon; O(uri) may name another machine, over SSH or TLS.
  - A host of the inventory plugin P(kvmmanager.libvirt.libvirt#inventory) needs no variable but C(ansible_connection)
    to say which domain of which hypervisor it is. What the daemon asks of whoever opens it, such as O(login_password),
    has to be a variable of the host.
  - Tasks run as the user of the agent, which is root. C(ansible_user) is not used. C(become) works, and never needs
    a password.
  - For guests with Linux.
requirements:
  - libvirt-python on the controller (the Debian and Fedora package is C(python3-libvirt))
notes:
  - An agent serves one program at a time. A task waits for its turn, at most O(agent_timeout) seconds.
  - A task with C(delegate_to) runs in the guest of the host that it is delegated to. In the variables of that host,
    C(inventory_hostname) is still the name of the other one, so do not make C(ansible_libvirt_domain) of it.
  - Pipelining is on by default. It halves what passes the port. Modules that run as the agent's user and without
    C(environment) then also need not wait for Python to start, but for the first in a while. To become another user,
    which root is not to itself, and C(environment) make each module start its own.
  - C(qemu-guest-agent) of some distributions forbids commands or files by default. On Fedora and Red Hat look at
    C(/etc/sysconfig/qemu-ga).
options:
  domain:
    description:
      - The domain, by its name or its UUID.
      - Where no variable says it, the domain has the name that the inventory gives to the host.
    type: str
    # The last variable that is set wins.
    vars:
      - name: libvirt_name
      - name: libvirt_uuid
      - name: ansible_libvirt_domain
  host:
    description: The host in the inventory. Ansible sets it.
    type: str
    vars:
      - name: inventory_hostname
  delegate_to:
    description: The host that the task is delegated to, if any. It takes the place of O(host).
    type: str
    keyword:
      - name: delegate_to
  agent:
    description:
      - Which agent to talk to.
      - V(auto) means C(kvmmanager-agent) where it is connected, else C(qemu-guest-agent).
    type: str
    choices: [auto, kvmmanager, qemu]
    default: auto
    vars:
      - name: ansible_libvirt_agent
  wait:
    description:
      - How many seconds to wait for the domain to run and its agent to be connected.
      - By default a guest without an agent is unreachable at once.
    type: float
    default: 0
    vars:
      - name: ansible_libvirt_wait
  # Not "timeout" and "password": Ansible gives its own values to options with these names.
  agent_timeout:
    description: How many seconds a connected agent has to answer, and other programs have to leave it.
    type: float
    default: 30
    vars:
      - name: ansible_libvirt_timeout
  command_timeout:
    description: How many seconds one command may run, and one file may take to be copied.
    type: float
    default: 3600
    vars:
      - name: ansible_libvirt_command_timeout
  pipelining:
    description: Whether to hand a module to Python in the guest without writing it to a file first.
    type: bool
    default: true
    env:
      - name: ANSIBLE_PIPELINING
    ini:
      - section: connection
        key: pipelining
    vars:
      - name: ansible_pipelining
  uri:
    description:
      - The libvirt daemon to talk to, as a L(libvirt URI,https://libvirt.org/uri.html).
      - This plugin cannot see the variables of other hosts. Where the hypervisor is a host of the inventory, let a
        template look them up, as in the examples.
    type: str
    default: qemu:///system
    env:
      - name: LIBVIRT_DEFAULT_URI
    vars:
      - name: libvirt_uri
      - name: ansible_libvirt_uri
  username:
    description: The user to log in to the daemon as, where it asks for a login (SASL).
    type: str
    vars:
      - name: ansible_libvirt_username
  login_password:
    description: The password for O(username).
    type: str
    vars:
      - name: ansible_libvirt_password
  tls_pki_path:
    description: A folder with C(cacert.pem), C(clientcert.pem) and C(clientkey.pem), for a V(qemu+tls://) URI.
    type: path
    vars:
      - name: ansible_libvirt_tls_pki_path
  tls_verify:
    description: Whether to check the server's certificate of a V(qemu+tls://) URI.
    type: bool
    default: true
    vars:
      - name: ansible_libvirt_tls_verify
  ssh_key_file:
    description: The private key for a V(qemu+ssh://) URI. By default what the user's SSH configuration says.
    type: path
    vars:
      - name: ansible_libvirt_ssh_key_file
  ssh_known_hosts:
    description: The file of known host keys, for a V(qemu+libssh://) URI.
    type: path
    vars:
      - name: ansible_libvirt_ssh_known_hosts
  connect_timeout:
    description: How many seconds opening the connection to the daemon may take.
    type: float
    default: 30
    vars:
      - name: ansible_libvirt_connect_timeout
  call_timeout:
    description: How many seconds the daemon may take to answer one call.
    type: float
    default: 120
    vars:
      - name: ansible_libvirt_call_timeout
  keepalive_interval:
    description:
      - After how many seconds of silence the daemon is asked whether it is still there.
      - When it does not answer five times in a row, the connection is given up. V(0) never asks.
    type: int
    default: 5
    vars:
      - name: ansible_libvirt_keepalive_interval
seealso:
  - plugin: kvmmanager.libvirt.libvirt
    plugin_type: inventory
"""

EXAMPLES = r"""
# ansible guests -i inventory.yml -m ansible.builtin.ping
guests:
  hosts:
    web1: # the name of the domain
    web2:
      ansible_libvirt_domain: 6695eb01-f6a4-8304-79aa-97f2502e193f
      ansible_libvirt_agent: qemu
  vars:
    ansible_connection: kvmmanager.libvirt.guest
    ansible_libvirt_uri: qemu+ssh://root@hv1.example.com/system

# Hypervisors that are hosts of the inventory, and guests that name theirs.
hypervisors:
  hosts:
    kvm1: {libvirt_uri: qemu+ssh://root@kvm1.example.com/system}
vms:
  hosts:
    web3: {cloud_vm_hypervisor: kvm1}
  vars:
    ansible_connection: kvmmanager.libvirt.guest
    ansible_libvirt_uri: "{{ hostvars[cloud_vm_hypervisor].libvirt_uri }}"
"""

import contextlib
import os
import re
import shlex
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.plugins.connection import ConnectionBase
from ansible.utils.display import Display

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent import wire
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._agent.guest import (
    Command,
    Guest,
    GuestError,
    GuestUnreachable,
    open_guest,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._connection import (
    ConnectionOptions,
    Hypervisor,
    connect,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import Failure

display = Display()

# Ansible's families of shells → the program that takes a command line of it. Windows would begin with a line here, and
# with paths in `_where_it_leads`.
_SHELLS = {"sh": "/bin/sh", "csh": "csh", "fish": "fish"}
# What Ansible has the shell do after each command, for the sake of SSH. Here it is but one more process to start.
_PAUSE = " && sleep 0"
_PYTHON = re.compile(r"/[\w/.+-]*/python[0-9.]*")


class Connection(ConnectionBase):
    """A guest, through its agent. It is opened for the length of a task: the agent serves one program at a time."""

    transport = "kvmmanager.libvirt.guest"
    has_pipelining = True
    # What Ansible works out from the user's name, such as who must be able to read a file, is about root.
    default_user = "root"

    _guest: Guest | None = None
    _opened: contextlib.ExitStack | None = None
    _opened_for: tuple[Any, ...] = ()

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        """Take the options of a task. Ansible keeps a connection through a loop, whoever its items are for."""
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        if self._opened is not None and self._opened_for != self._target:
            self.close()

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a command line of the shell in the guest; its exit status and what it wrote."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        display.vvv(f"EXEC {cmd}", host=self._domain)
        with self._sentences(), self._session() as guest:
            # Without any input a program that reads would wait for ever.
            ended = guest.run(_command(_program_of(self._shell), cmd), self._time, in_data or b"")
        if ended.stdout_truncated or ended.stderr_truncated:
            raise AnsibleError(
                f"A command in {guest.where} wrote more than can be taken. Let it write into a file, and fetch that."
            )
        return ended.rc, ended.stdout, ended.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the controller into the guest."""
        super().put_file(in_path, out_path)
        display.vvv(f"PUT {in_path} TO {out_path}", host=self._domain)
        with self._sentences(), _opened(in_path) as source, self._session() as guest:
            self._where_it_leads(out_path, lambda path: guest.put(source, path, timeout=self._time))

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the guest to the controller: all of it, or nothing."""
        super().fetch_file(in_path, out_path)
        display.vvv(f"FETCH {in_path} TO {out_path}", host=self._domain)
        with self._sentences(), _replacement(out_path) as sink, self._session() as guest:
            self._where_it_leads(in_path, lambda path: guest.get(path, sink, timeout=self._time))

    def close(self) -> None:
        """Leave the agent to the next program."""
        opened, guest = self._opened, self._guest
        self._opened = self._guest = None
        self._connected = False
        if opened is not None and guest is not None:
            sent, received = guest.messages
            display.vvv(f"CLOSED {guest.where} AFTER {sent} MESSAGES TO IT AND {received} FROM IT", host=self._domain)
            opened.close()

    def reset(self) -> None:
        """Forget the session; the next task opens another one."""
        self.close()

    @property
    def _domain(self) -> str:
        # The variables of a delegated task are those of the host that it is delegated to, but for the host's name.
        return str(self.get_option("domain") or self.get_option("delegate_to") or self.get_option("host"))

    @property
    def _daemon(self) -> ConnectionOptions:
        renamed = {"password": "login_password"}
        names = ConnectionOptions.__dataclass_fields__
        return ConnectionOptions.from_params({name: self.get_option(renamed.get(name, name)) for name in names})

    @property
    def _target(self) -> tuple[Any, ...]:
        """What a session belongs to; another one is needed when it changes."""
        return self._daemon, self._domain, self.get_option("agent")

    @property
    def _time(self) -> float:
        return float(self.get_option("command_timeout"))

    def _connect(self) -> Connection:
        if self._connected:
            return self
        _program_of(self._shell)  # refuses a guest that cannot be worked in
        with contextlib.ExitStack() as opened, self._sentences():
            hypervisor = self._enter_daemon(opened)
            agent, wait, timeout = (self.get_option(name) for name in ("agent", "wait", "agent_timeout"))
            self._guest = opened.enter_context(open_guest(hypervisor, self._domain, agent, wait, timeout))
            self._opened, self._opened_for = opened.pop_all(), self._target
        display.vvv(f"OPENED {self._guest.where} THROUGH {self._guest.agent}", host=self._domain)
        self._connected = True
        return self

    def _enter_daemon(self, opened: contextlib.ExitStack) -> Hypervisor:
        daemon = self._daemon
        try:
            return opened.enter_context(connect(daemon))
        except Failure as failure:
            if "://" in daemon.uri:
                raise
            advice = f"Write a host of the inventory as \"{{{{ hostvars['{daemon.uri}'].libvirt_uri }}}}\"."
            raise Failure(f"{failure.message} {advice}") from failure

    def _where_it_leads(self, path: str, transfer: Callable[[str], object]) -> None:
        """Do a transfer, if need be with the path that this one leads to.

        The agent follows no link, for who may write into a folder on the way could turn it elsewhere. Ansible's other
        connections do, and whoever uses this one may run anything.
        """
        try:
            transfer(path)
        except GuestError as error:
            if error.code != wire.WRONG_TYPE or self._guest is None:
                raise
            found = self._guest.run(Command(["readlink", "-f", "--", path]), self._time)
            leads_to = found.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")
            if found.exit != 0 or leads_to == path:
                raise
            transfer(leads_to)

    @contextlib.contextmanager
    def _session(self) -> Iterator[Guest]:
        """The open session; closed when it broke, so that whoever tries again gets another one."""
        guest = self._guest
        if guest is None:  # never: the base class connects first
            raise AnsibleConnectionFailure("The connection to the guest is closed.")
        try:
            yield guest
        except GuestUnreachable:
            self.close()
            raise

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        """Give the errors of this collection as those of Ansible: a guest that is gone is unreachable."""
        try:
            yield
        except Failure as failure:
            lost = isinstance(failure, GuestUnreachable) or not self._connected
            slow = isinstance(failure, GuestError) and failure.code == wire.TIMED_OUT
            advice = " Allow more with command_timeout (ansible_libvirt_command_timeout)." if slow else ""
            # Ansible would append the message of the cause to this one, which has it already.
            raise (AnsibleConnectionFailure if lost else AnsibleError)(failure.message + advice) from None


def _command(shell: str, line: str) -> Command:
    """What runs a command line: the shell, unless that would start but one program, which then runs at once.

    Ansible mostly gives a line that starts a shell, and that one, for a module which is pipelined and needs no other
    user and environment, starts a Python.
    """
    words = _shell_command(line)
    if words is None:
        return Command([shell, "-c", line])
    program, option, inner = words
    inner = inner.removesuffix(_PAUSE)
    return Command([inner], warm=True) if _PYTHON.fullmatch(inner) else Command([program, option, inner])


def _shell_command(line: str) -> list[str] | None:
    """The words of a line that only hands a line to a shell, quoted as Ansible does; None for any other."""
    try:
        words = shlex.split(line)
    except ValueError:
        return None
    hands_on = len(words) == 3 and words[0].startswith("/") and words[1] == "-c"
    return words if hands_on and shlex.join(words) == line else None


def _program_of(shell: Any) -> str:
    """The program that understands what one of Ansible's shell plugins writes."""
    family = getattr(shell, "SHELL_FAMILY", "sh")
    if family not in _SHELLS:
        raise AnsibleError(
            f"The connection plugin guest cannot work with the shell '{family}' (ansible_shell_type), only with "
            f"{', '.join(sorted(_SHELLS))}: guests with Windows cannot be managed through it yet."
        )
    return _SHELLS[family]


@contextlib.contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    try:
        with open(path, "rb") as source:
            yield source
    except FileNotFoundError:
        raise AnsibleFileNotFound(f"There is no file {path} on the controller.") from None
    except OSError as error:
        raise AnsibleError(f"Cannot read {path} on the controller: {error.strerror}.") from error


@contextlib.contextmanager
def _replacement(path: str) -> Iterator[BinaryIO]:
    """A new file beside ``path``, which takes its place when it is complete."""
    try:
        handle, beside = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=".guest-")
        try:
            with open(handle, "wb+") as sink:
                yield sink
            os.replace(beside, path)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as error:
        raise AnsibleError(f"Cannot write {path} on the controller: {error.strerror}.") from error
