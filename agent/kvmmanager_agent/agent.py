# Copyright (c) 2026, kvmmanager contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event loop: one reader and one writer of the port; requests run in workers beside it."""

import select
import threading
import time
from typing import Any, Callable, List, NamedTuple, Optional

from . import wire
from .audit import Audit
from .freezer import FREEZER
from .jobs import Job
from .outbox import Outbox
from .policy import Policy
from .port import Port, PortGone
from .sessions import Session, open_session
from .waker import Waker
from .workers import Workers

# How much is read before what came is acted on. What is older than a new session in it is never executed.
_BATCH = 256 * 1024
_MAX_AHEAD = 600  # seconds that a request may stay valid
_GRACE = 5  # seconds that running requests get to end when the agent stops
_QUIET = 5  # seconds without a request after which an agent that shall be replaced leaves its host


class Arrived(NamedTuple):
    """What was read from the port in one go.

    :ivar wrong: what was the matter with the first line that is no message.
    :ivar lost: whether the host has gone since.
    """

    messages: List[wire.Incoming]
    wrong: Optional[wire.WireError]
    lost: bool


class Agent:
    """Serves one port until it is stopped or the port is gone.

    :param reload: is called in the event loop when `ask_reload` was; it may replace ``policy``.
    :ivar policy: may be replaced at any time; requests that run keep theirs.
    """

    def __init__(self, port: Port, policy: Policy, audit: Audit, reload: Callable[[], None]) -> None:
        self.policy = policy
        self._reload = reload
        self._reload_asked = False
        self._port = port
        self._audit = audit
        self._changed = threading.Condition()
        self._waker = Waker()
        self._outbox = Outbox(self._changed, self._waker.wake)
        self._decoder = wire.Decoder()
        self._session: Optional[Session] = None
        self._workers = Workers(self._changed, self._answer)
        self._stopping = False
        self._leaving = False
        self._unread = True  # there may be input that no edge will announce again
        self._early: List[wire.Incoming] = []  # the hello of a host that has not been seen yet
        FREEZER.on_freeze, FREEZER.on_thaw = audit.hold, audit.release

    @property
    def wake_handle(self) -> int:
        """A descriptor for `signal.set_wakeup_fd`."""
        return self._waker.writer

    def stop(self) -> None:
        """End after the current turn. Safe in a signal handler."""
        self._stopping = True
        self._waker.wake()

    def leave(self) -> None:
        """End when the host has gone or wants nothing for a while: a command may ask. Safe in a signal handler."""
        self._leaving = True
        self._waker.wake()

    def ask_reload(self) -> None:
        """Read the configuration again in the next turn. Safe in a signal handler."""
        self._reload_asked = True
        self._waker.wake()

    def run(self) -> bool:
        """Serve; False when the port is gone, True when it was asked to stop."""
        with select.epoll() as epoll:
            # A port without a host is readable for ever: only its edges are of interest.
            epoll.register(self._port.handle, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
            epoll.register(self._waker.reader, select.EPOLLIN)
            try:
                while not self._stopping:
                    self._wait(epoll)
                    self._turn()
            except PortGone as error:
                self._audit.note(f"the port is gone: {error}")
                return False
            finally:
                self._finish()
        return True

    def _wait(self, epoll: Any) -> None:
        """Until there is something to do, or nothing more for an agent that leaves."""
        if self._unread:
            epoll.poll(0)
        elif not self._leaving:
            epoll.poll(-1)
        elif self._session is None or self._is_quiet(epoll, self._session):
            self._stopping = True

    def _is_quiet(self, epoll: Any, session: Session) -> bool:
        return not epoll.poll(_QUIET) and not session.jobs and self._outbox.is_empty

    def _turn(self) -> None:
        signalled = self._waker.drain()
        if self._reload_asked:
            self._reload_asked = False
            self._reload()
        flushed = self._outbox.flush(self._port.write)
        with self._changed:
            if flushed or signalled:
                # There is room for what commands write, or one has ended.
                self._workers.poke()
            self._unread = False
            if self._outbox.is_clogged and not self._port.host_is_there():
                # Nobody reads these answers any more, and what is not read now might be a host that comes next.
                self._end_session("the host has closed the port")
            may_read = not self._outbox.is_clogged
        # Without the lock: meanwhile the workers go on with what came before.
        arrived = self._read() if may_read else None
        if arrived is not None:
            with self._changed:
                self._act_on(arrived)
        if self._outbox.flush(self._port.write):
            with self._changed:
                self._workers.poke()

    def _finish(self) -> None:
        with self._changed:
            self._end_session("the agent stops")
        FREEZER.stop(_GRACE)
        end = time.monotonic() + _GRACE
        while self._workers.count and time.monotonic() < end:
            # As in every turn: a signal may tell that a command ended, and a request that it did.
            self._waker.wait(end - time.monotonic())
            with self._changed:
                self._workers.poke()

    def close(self) -> None:
        """Give back what wakes it. Only when no signal uses it any more."""
        self._waker.close()

    # --- what comes in

    def _read(self) -> Arrived:
        """What is there, before any of it is acted on."""
        messages, self._early = self._early, []
        wrong: Optional[wire.WireError] = None
        size = 0
        while size < _BATCH:
            received = self._port.read(self._decoder.space())
            if received == 0:
                # The next host may have come in this moment; otherwise an edge will tell.
                self._unread = self._port.host_is_there()
                return Arrived(messages, wrong, True)
            if received is None:
                break
            size += received
            for incoming in self._decoder.advance(received):
                if incoming.error is None:
                    messages.append(incoming)
                else:
                    wrong = wrong or incoming.error
        else:
            self._unread = True
        # Its host may have written this and vanished. The next edge, or read, tells the rest.
        return Arrived(messages, wrong, bool(messages) and not self._port.host_is_there())

    def _act_on(self, arrived: Arrived) -> None:
        """Do what was asked for, unless its sender has gone meanwhile."""
        if arrived.lost:
            self._lose(arrived.messages)
            return
        if arrived.wrong is not None and self._session:
            # Told once for all that was read, and only to a host: without a session it is noise.
            self._outbox.put(wire.failure(None, arrived.wrong))
        # What was sent before a new session is its predecessor's.
        hellos = [index for index, incoming in enumerate(arrived.messages) if _is_hello(incoming)]
        begin = hellos[-1] if hellos else 0
        self._keep(arrived.messages[:begin])
        for incoming in arrived.messages[begin:]:
            self._dispatch(incoming)

    def _lose(self, arrived: List[wire.Incoming]) -> None:
        """End the session whose host has gone. Nothing that it has asked for in the end is done."""
        self._keep(arrived)
        self._end_session("the host has closed the port")
        # In Linux, data of a host can overtake the word that it is there: this may be the first of its life, not the
        # last. If it is not, the next host sends its own.
        self._early = [incoming for incoming in arrived if _is_hello(incoming)][-1:]
        # The decoder goes on where it is, for the same reason: what a host leaves half sent ends where the next begins.

    def _keep(self, arrived: List[wire.Incoming]) -> None:
        """Give running requests what their host has still sent for them: a later transfer goes on after it."""
        for incoming in arrived:
            if incoming.message.get("method") == "data":
                self._notified("data", incoming.message["params"], incoming.payload)

    def _dispatch(self, incoming: wire.Incoming) -> None:
        message = incoming.message
        method, identity = message.get("method"), message.get("id")
        if method is None:
            return  # an answer, though the agent asks nothing
        if identity is None:
            self._notified(method, message["params"], incoming.payload)
            return
        try:
            if method == "hello":
                self._hello(identity, message["params"])
            else:
                self._request(identity, method, message["params"])
        except wire.WireError as error:
            self._audit.call(identity, method, "", error.code, 0.0)
            self._outbox.put(wire.failure(identity, error))

    def _hello(self, nonce: str, params: Any) -> None:
        session, result = open_session(nonce, params, self.policy)
        self._end_session("another session begins")
        self._session = session
        self._decoder.frames = session.frames
        self._audit.note(f"session {session.token} begins, for {session.client}")
        self._outbox.put(wire.RESET + b"\n" + wire.response(nonce, result))

    def _notified(self, method: str, params: Any, payload: Optional[wire.Payload]) -> None:
        job = self._session.jobs.get(params.get("of")) if self._session and _is_text(params.get("of")) else None
        if job is None:
            return  # it has ended, or belongs to another session
        if method == "data" and payload is not None:
            job.deliver(params, payload)
        elif method == "credit":
            job.grant(params)
        elif method == "cancel":
            job.end(wire.WireError(wire.CANCELLED, "cancelled"))

    def _request(self, identity: str, method: str, params: Any) -> None:
        token, number = wire.split_id(identity)
        if self._session is None or token != self._session.token:
            raise wire.WireError(wire.NO_SESSION, "the id belongs to no open session; call hello first")
        self._session.use(number)
        allowed = self.policy.methods()
        if method not in allowed:
            raise self.policy.refusal(method)
        found = allowed[method]
        timeout = _timing(params, self.policy.limits.seconds)
        values = found.read(params)
        job = Job(identity, self._session, self._changed, self._outbox, self.policy, timeout)
        if found.instant:
            self._answer(job, method, found.call(job, values))
            return
        stream = found.stream(values)
        if stream:
            job.accept(stream)
        if FREEZER.active and found.may_write:
            raise wire.WireError(wire.BUSY, "the guest's file systems are frozen; call fs_thaw first")
        if self._workers.count >= self.policy.limits.concurrent and not found.urgent:
            raise wire.WireError(wire.BUSY, f"{self._workers.count} requests run already")
        self._workers.start(job, found, values)
        self._session.jobs[identity] = job

    # --- what goes out

    def _answer(self, job: Job, method: str, outcome: Any) -> None:
        """Send the answer of a request that has ended; ``changed`` is held."""
        failed = isinstance(outcome, wire.WireError)
        code = outcome.code if failed else 0
        self._audit.call(job.identity, method, job.subject, code, time.monotonic() - job.started)
        if job.abandoned:
            self._waker.wake()
            return
        if self._session:
            self._session.jobs.pop(job.identity, None)
        line = wire.failure(job.identity, outcome) if failed else wire.response(job.identity, outcome)
        if len(line) > wire.MAX_LINE:
            error = wire.WireError(wire.TOO_LARGE, "the answer is longer than a line may be")
            line = wire.failure(job.identity, error)
        if job.pushed:
            self._outbox.put_bulk(line)
        else:
            self._outbox.put(line)

    def _end_session(self, why: str) -> None:
        if self._session is None:
            return
        self._audit.note(f"session {self._session.token} ends: {why}")
        for job in self._session.jobs.values():
            job.abandoned = True
            job.end(wire.WireError(wire.CANCELLED, why))
        self._session = None
        self._outbox.clear()


def _timing(params: Any, most: float) -> float:
    """Take the parameters that all requests share out of ``params``; how many seconds the request may take."""
    expires, now = params.pop("expires", None), time.monotonic()
    if not isinstance(expires, (int, float)) or isinstance(expires, bool) or not expires <= now + _MAX_AHEAD:
        message = f"expires must be a time on the agent's clock, at most {_MAX_AHEAD} seconds from now"
        raise wire.WireError(wire.INVALID_PARAMS, message)
    if expires < now:
        raise wire.WireError(wire.EXPIRED, "the request came %.1f seconds too late to begin" % (now - expires))
    timeout = params.pop("timeout", most)
    if not isinstance(timeout, (int, float)) or isinstance(timeout, bool) or not 0 < timeout <= most:
        raise wire.WireError(wire.INVALID_PARAMS, f"timeout must be above 0 and at most {most} seconds")
    return float(timeout)


def _is_hello(incoming: wire.Incoming) -> bool:
    return incoming.message.get("method") == "hello"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
