# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening a hypervisor: URI, login, TLS and SSH options, timeouts; and calls whose errors are sentences."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from ansible_collections.kvmmanager.libvirt.plugins.module_utils._deadline import TimedOut, call_within
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._errors import (
    Failure,
    explain,
    is_not_found,
)
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._events import start_event_loop, stop_event_loop
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._libvirt import IMPORT_ERROR, libvirt, libvirt_qemu
from ansible_collections.kvmmanager.libvirt.plugins.module_utils._uri import split_uri, transport

UNLIMITED = None
_UNREACHABLE = "Check the URI, that the host is up and reachable, and that its libvirt daemon runs"


@dataclass(frozen=True)
class ConnectionOptions:
    """How to reach one hypervisor; the options of the doc fragment ``connection`` under the same names.

    Times are in seconds. See https://libvirt.org/uri.html for what a URI may say.
    """

    uri: str = "qemu:///system"
    username: str | None = None
    password: str | None = None
    tls_pki_path: str | None = None
    tls_verify: bool = True
    ssh_key_file: str | None = None
    ssh_known_hosts: str | None = None
    connect_timeout: float = 30
    call_timeout: float = 120
    keepalive_interval: int = 5

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> ConnectionOptions:
        """The connection options among a task's options."""
        names = cls.__dataclass_fields__
        return cls(**{name: params[name] for name in names if params.get(name) is not None})

    @property
    def full_uri(self) -> str:
        """The URI with the TLS and SSH options as libvirt's query parameters.

        :raises Failure: for a text that is no URI, and for options that do not belong to what carries the connection.
        """
        parts = split_uri(self.uri)
        extra = {**_tls_parameters(self, parts), **_ssh_parameters(self, transport(self.uri))}
        if not extra:
            return self.uri
        query = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **extra}
        # Not urlunsplit, which drops the // of a URI without a host: qemu+ssh:///system.
        return f"{parts.scheme}://{parts.netloc}{parts.path}?{urlencode(query, quote_via=quote, safe='/')}"


class Hypervisor:
    """An open connection to one libvirt daemon.

    :ivar connection: the ``libvirt.virConnect``; call its methods through `call` or `find`.
    :ivar uri: as the user wrote it.
    :ivar read_only: the daemon refuses every change on this connection (check mode, information).
    """

    def __init__(self, options: ConnectionOptions, read_only: bool = False) -> None:
        """Open the connection.

        :raises Failure: when libvirt-python is missing or the daemon cannot be reached or refuses the login.
        """
        self.options = options
        self.uri = options.uri
        self.read_only = read_only
        self.connection = _open(options, read_only)
        self._privileged: PrivilegedReads | None = None

    def call(self, doing: str, function: Callable[..., Any], *args: Any, limited: bool = True) -> Any:
        """The result of one libvirt call.

        :param doing: what it is for, to follow "Cannot ": ``start the domain 'web1'``.
        :param limited: whether ``call_timeout`` applies; not for calls that rightly take as long as they
            take (copying a volume). A daemon that is gone ends those too, through keepalive.
        :raises Failure: what libvirt said, with advice.
        """
        try:
            return call_within(self.options.call_timeout if limited else UNLIMITED, function, *args)
        except libvirt.libvirtError as error:
            raise explain(doing, error) from error
        except TimedOut:
            raise self._no_answer(doing) from None

    def find(self, doing: str, function: Callable[..., Any], *args: Any) -> Any:
        """As `call`, but None when libvirt says that there is no such resource."""
        try:
            return call_within(self.options.call_timeout, function, *args)
        except libvirt.libvirtError as error:
            if is_not_found(error):
                return None
            raise explain(doing, error) from error
        except TimedOut:
            raise self._no_answer(doing) from None

    @property
    def privileged(self) -> PrivilegedReads:
        """The few reads that libvirt refuses on a read-only connection."""
        if self._privileged is None:
            self._privileged = PrivilegedReads(self)
        return self._privileged

    def close(self) -> None:
        """Close the connection, and the second one of `privileged` where there is one. Never fails."""
        if self._privileged is not None:
            self._privileged.close()
        with contextlib.suppress(libvirt.libvirtError, TimedOut):
            call_within(5, self.connection.close)
        stop_event_loop()

    def _no_answer(self, doing: str) -> Failure:
        return Failure(
            f"Cannot {doing}: {self.uri} did not answer within {self.options.call_timeout:g} seconds "
            "(call_timeout). The call may still take effect there: look before running the task again."
        )


class PrivilegedReads:
    """Reads that libvirt allows on a read-write connection only. Nothing here changes anything.

    In check mode the task's own connection is read-only; this opens a second one, when first needed.
    """

    def __init__(self, hypervisor: Hypervisor) -> None:
        self._hypervisor = hypervisor
        self._own: Hypervisor | None = None
        self._opening = threading.Lock()  # agents are asked from several threads

    @property
    def _writable(self) -> Hypervisor:
        if not self._hypervisor.read_only:
            return self._hypervisor
        with self._opening:
            if self._own is None:
                self._own = Hypervisor(self._hypervisor.options)
            return self._own

    def domain_capabilities(
        self, emulator: str | None, arch: str | None, machine: str | None, virt_type: str | None
    ) -> str:
        """``<domainCapabilities>`` as XML; see https://libvirt.org/formatdomaincaps.html."""
        hypervisor = self._writable
        read = hypervisor.connection.getDomainCapabilities
        return str(hypervisor.call("read the domain capabilities", read, emulator, arch, machine, virt_type))

    def secure_domain_xml(self, uuid: str, inactive: bool) -> str:
        """A domain's XML with its graphics passwords, which libvirt hides from read-only connections."""
        hypervisor = self._writable
        doing = "read the domain's configuration"
        domain = hypervisor.call(doing, hypervisor.connection.lookupByUUIDString, uuid)
        flags = libvirt.VIR_DOMAIN_XML_SECURE | (libvirt.VIR_DOMAIN_XML_INACTIVE if inactive else 0)
        return str(hypervisor.call(doing, domain.XMLDesc, flags))

    def interface_addresses(self, uuid: str, source: int) -> dict[str, Any]:
        """``virDomainInterfaceAddresses`` of a running domain; ``source`` is one of libvirt's constants."""
        hypervisor = self._writable
        doing = "ask for the domain's addresses"
        domain = hypervisor.call(doing, hypervisor.connection.lookupByUUIDString, uuid)
        return dict(hypervisor.call(doing, domain.interfaceAddresses, source) or {})

    def download_volume(self, pool: str, volume: str, sink: Callable[[bytes], Any]) -> None:
        """Hand the content of a volume to ``sink``, block after block."""
        hypervisor = self._writable
        doing = f"read the volume '{volume}' of pool '{pool}'"
        found = hypervisor.call(doing, hypervisor.connection.storagePoolLookupByName, pool)
        handle = hypervisor.call(doing, found.storageVolLookupByName, volume)
        stream = hypervisor.call(doing, hypervisor.connection.newStream, 0)
        hypervisor.call(doing, handle.download, stream, 0, 0, 0)
        hypervisor.call(doing, stream.recvAll, lambda _stream, block, _opaque: sink(block), None, limited=False)
        hypervisor.call(doing, stream.finish)

    def open_channel(self, uuid: str, port: str, blocking: bool = True) -> Any:
        """A ``libvirt.virStream`` that carries what a running domain's guest says on a virtio-serial port."""
        hypervisor = self._writable
        doing = f"open the guest's port {port}"
        domain = hypervisor.call(doing, hypervisor.connection.lookupByUUIDString, uuid)
        flags = 0 if blocking else libvirt.VIR_STREAM_NONBLOCK
        stream = hypervisor.call(doing, hypervisor.connection.newStream, flags)
        hypervisor.call(doing, domain.openChannel, port, stream, 0)
        return stream

    def agent_command(self, uuid: str, command: str, seconds: int) -> str:
        """What qemu-guest-agent answers to a command, both as JSON. Whether that changes something is the caller's."""
        hypervisor = self._writable
        doing = "call qemu-guest-agent"
        domain = hypervisor.call(doing, hypervisor.connection.lookupByUUIDString, uuid)
        return str(hypervisor.call(doing, libvirt_qemu.qemuAgentCommand, domain, command, seconds, 0, limited=False))

    def close(self) -> None:
        """Close the second connection where one was opened."""
        if self._own is not None:
            self._own.close()


@contextlib.contextmanager
def connect(options: ConnectionOptions, read_only: bool = False) -> Iterator[Hypervisor]:
    """An open `Hypervisor` for the length of a ``with`` block."""
    hypervisor = Hypervisor(options, read_only)
    try:
        yield hypervisor
    finally:
        hypervisor.close()


def _open(options: ConnectionOptions, read_only: bool) -> Any:
    if libvirt is None:
        raise Failure(
            "The Python library libvirt is missing for the interpreter that runs this task: install python3-libvirt "
            "(Debian, Fedora) or libvirt-python (pip) there, or set ansible_python_interpreter.",
            exception=IMPORT_ERROR,
        )
    libvirt.registerErrorHandler(lambda _opaque, _error: None, None)  # else libvirt prints each error
    start_event_loop()
    try:
        return _open_connection(options, read_only)
    except BaseException:
        stop_event_loop()
        raise


def _open_connection(options: ConnectionOptions, read_only: bool) -> Any:
    doing = f"connect to {options.uri}"
    flags = libvirt.VIR_CONNECT_RO if read_only else 0
    try:
        connection = call_within(options.connect_timeout, libvirt.openAuth, options.full_uri, _login(options), flags)
    except libvirt.libvirtError as error:
        raise explain(doing, error, _UNREACHABLE) from error
    except TimedOut:
        raise Failure(
            f"Cannot {doing}: no answer within {options.connect_timeout:g} seconds (connect_timeout). {_UNREACHABLE}."
        ) from None
    _keep_alive(connection, options)
    return connection


def _keep_alive(connection: Any, options: ConnectionOptions) -> None:
    """Let a dead peer end the connection, and with it every call that waits for it."""
    if options.keepalive_interval <= 0:
        return
    # A local driver such as test:///default has no link to watch and says so.
    with contextlib.suppress(libvirt.libvirtError):
        connection.setKeepAlive(options.keepalive_interval, 5)


def _login(options: ConnectionOptions) -> list[Any]:
    """The ``auth`` of ``virConnectOpenAuth``: answers the daemon's questions from the options, never a terminal."""
    answers = {
        libvirt.VIR_CRED_AUTHNAME: options.username,
        libvirt.VIR_CRED_USERNAME: options.username,
        libvirt.VIR_CRED_PASSPHRASE: options.password,
        libvirt.VIR_CRED_NOECHOPROMPT: options.password,
    }

    def answer(credentials: list[list[Any]], _opaque: Any) -> int:
        for credential in credentials:
            value = answers.get(credential[0])
            if value is None:
                return -1
            credential[4] = value
        return 0

    return [list(answers), answer, None]


def _tls_parameters(options: ConnectionOptions, parts: Any) -> dict[str, str]:
    is_tls = bool(parts.netloc) and transport(options.uri) in ("", "tls")
    given = options.tls_pki_path is not None or not options.tls_verify
    if given and not is_tls:
        raise Failure(f"tls_pki_path and tls_verify need a TLS URI such as qemu+tls://host/system, not {options.uri}.")
    parameters = {} if options.tls_pki_path is None else {"pkipath": options.tls_pki_path}
    return parameters if options.tls_verify else {**parameters, "no_verify": "1"}


def _ssh_parameters(options: ConnectionOptions, carrier: str) -> dict[str, str]:
    if options.ssh_known_hosts is not None and carrier not in ("libssh", "libssh2"):
        raise Failure(
            "ssh_known_hosts needs a URI such as qemu+libssh://host/system; qemu+ssh runs the ssh program, "
            "which reads ~/.ssh/config (UserKnownHostsFile)."
        )
    if carrier not in ("ssh", "libssh", "libssh2"):
        if options.ssh_key_file is not None:
            raise Failure(f"ssh_key_file needs an SSH URI such as qemu+ssh://host/system, not {options.uri}.")
        return {}
    parameters = {"no_tty": "1"}  # a question on a terminal would hang the task
    if options.ssh_key_file is not None:
        parameters["keyfile"] = options.ssh_key_file
    if options.ssh_known_hosts is not None:
        parameters["known_hosts"] = options.ssh_known_hosts
    return parameters
