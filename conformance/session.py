"""One test from start to end: what is written to a program, read from it, and found wrong.

The program is anything with three pipes and an end (``Program``): a guest in this process, or
another process. Whatever it does, a session is over at its deadline.
"""

import codecs
import os
import select
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic
from typing import Final, NamedTuple, Protocol

from conformance.suite import Case, Connect, Kill, Read, Receive, Run, Send, Wait, Write

#: What is kept of each of a program's streams, in bytes; the rest is read and forgotten.
LARGEST_OUTPUT: Final = 1 << 20
#: Seconds that a killed program gets to be gone.
GRACE: Final = 5.0
_CHUNK: Final = 1 << 16
#: A write of so much does not block after the pipe said it is ready.
_ATOMIC: Final = select.PIPE_BUF


class Failure(NamedTuple):
    """What went wrong: ``kind`` is the official runner's word for whose fault it looks like."""

    kind: str
    message: str

    @classmethod
    def mismatch(cls, message: str) -> "Failure":
        """Another behaviour than expected."""
        return cls("Expectation mismatch", message)

    @classmethod
    def unexpected(cls, message: str) -> "Failure":
        """The test could not be carried through."""
        return cls("Unexpected", message)


class Program(Protocol):
    """A started program. The three descriptors are ours, and ours to close."""

    stdin: int
    stdout: int
    stderr: int
    argv: list[str]

    def wait(self, timeout: float) -> int | None:
        """Return its exit code; None: it has not ended within so many seconds."""

    def send_signal(self, number: int) -> None:
        """Send it a signal."""

    def abandon(self) -> None:
        """End it, as far as that is possible; it is not used any more."""

    def notes(self) -> str:
        """Return what the host says about its end besides the exit code."""


class Conversation(NamedTuple):
    """What became of a session. No failures: the test passed."""

    failures: tuple[Failure, ...]
    exit_code: int | None
    stdout: bytes
    stderr: bytes
    argv: tuple[str, ...]


class _Mismatch(Exception):
    """The session is over with this failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


def converse(case: Case, start: Callable[[Run], Program], timeout: float) -> Conversation:
    """Carry out the operations of a test until the first failure.

    Args:
        case: the test.
        start: starts the program.
        timeout: seconds for all of it.
    """
    session = _Session(start, monotonic() + timeout, timeout)
    try:
        for operation in case.operations:
            session.perform(operation)
    except _Mismatch as over:
        session.failures.append(over.failure)
    except (OSError, ValueError) as error:  # no such program; a pipe it closed
        session.failures.append(Failure.unexpected(f"{type(error).__name__}: {error}"))
    finally:
        session.close()
    return Conversation(
        tuple(session.failures),
        session.exit_code,
        bytes(session.output["stdout"]),
        bytes(session.output["stderr"]),
        tuple(session.argv),
    )


class _Session:
    """The state between operations."""

    def __init__(self, start: Callable[[Run], Program], deadline: float, timeout: float) -> None:
        self.failures: list[Failure] = []
        self.exit_code: int | None = None
        self.argv: list[str] = []
        self.output = {"stdout": bytearray(), "stderr": bytearray()}
        self._start, self._deadline, self._timeout = start, deadline, timeout
        self._taken = {"stdout": 0, "stderr": 0}
        self._program: Program | None = None
        self._open: dict[int, str] = {}
        self._stdin: int | None = None
        self._connections: dict[str, socket.socket] = {}
        self._closing = ExitStack()

    def perform(self, operation: object) -> None:
        match operation:
            case Run():
                self._run(operation)
            case Wait(code):
                self._wait(code)
            case Read(stream, payload):
                self._expect(stream, payload.encode())
            case Write(_, payload):
                self._write(payload.encode())
            case Connect(name):
                self._connect(name)
            case Send(name, payload):
                self._connections[name].sendall(payload.encode())
            case Receive(name, payload):
                self._receive(name, payload.encode())
            case Kill(name):
                self._running().send_signal(signal.Signals[name])
            case _:
                raise ValueError(f"{operation} cannot be done here")

    def close(self) -> None:
        """Give everything back; a program that still runs is ended."""
        if self._program is not None:
            self._close_stdin()
            self._program.abandon()
            self._pump(lambda: not self._open, monotonic() + GRACE)
            notes = self._program.notes()
            if notes and all(notes not in failure.message for failure in self.failures):
                self.failures.append(Failure.unexpected(notes))
        self._forget_program()

    def _running(self) -> Program:
        if self._program is None:
            raise ValueError("no program runs")
        return self._program

    def _run(self, run: Run) -> None:
        program = self._program = self._start(run)
        self.argv = program.argv
        self._stdin = program.stdin
        self._open = {program.stdout: "stdout", program.stderr: "stderr"}
        for stream, output in self.output.items():
            self._taken[stream] = len(output)

    def _wait(self, expected: int) -> None:
        self._close_stdin()
        program = self._running()
        ended = self._pump(lambda: not self._open, self._deadline)
        code = program.wait(max(self._deadline - monotonic(), 0.0)) if ended else None
        notes = program.notes()
        if code is None:
            message = f"timeout: it has not ended after {self._timeout:g} s"
            raise _Mismatch(Failure.unexpected(notes) if notes else Failure.mismatch(message))
        self.exit_code = code
        self._forget_program()
        if code != expected:
            message = f"exit code {code}, expected {expected}"
            raise _Mismatch(Failure.mismatch(f"{message}\n{notes}" if notes else message))

    def _expect(self, stream: str, payload: bytes) -> None:
        begin = self._taken[stream]
        end = self._taken[stream] = begin + len(payload)
        output = self.output[stream]
        came = self._pump(
            lambda: len(output) >= end or stream not in self._open.values(), self._deadline
        )
        if (got := bytes(output[begin:end])) != payload:
            message = f"{stream} is {_shown(got)}, expected {_shown(payload)}"
            raise _Mismatch(Failure.mismatch(message if came else f"timeout: {message}"))

    def _write(self, payload: bytes) -> None:
        rest = memoryview(payload)
        while rest:
            if self._stdin is None or not self._step(self._deadline, (self._stdin,)):
                raise _Mismatch(Failure.mismatch("timeout: it does not read its input"))
            ready = select.select((), (self._stdin,), (), 0)[1]
            if ready:
                rest = rest[os.write(self._stdin, rest[:_ATOMIC]) :]

    def _connect(self, name: str) -> None:
        output, begin = self.output["stdout"], self._taken["stdout"]
        self._pump(
            lambda: b"\n" in output[begin:] or "stdout" not in self._open.values(), self._deadline
        )
        line = bytes(output[begin:]).partition(b"\n")[0]
        self._taken["stdout"] = begin + len(line) + 1
        host, _, port = line.decode("ascii", "replace").strip().rpartition(":")
        if not port.isdecimal():
            raise _Mismatch(Failure.mismatch(f"expected HOST:PORT on stdout, got {_shown(line)}"))
        remaining = max(self._deadline - monotonic(), 0.01)
        connection = socket.create_connection((host, int(port)), remaining)
        self._connections[name] = self._closing.enter_context(connection)

    def _receive(self, name: str, payload: bytes) -> None:
        connection, got = self._connections[name], b""
        while len(got) < len(payload):
            connection.settimeout(max(self._deadline - monotonic(), 0.01))
            piece = connection.recv(len(payload) - len(got))
            if not piece:
                break
            got += piece
        if got != payload:
            message = f"received {_shown(got)}, expected {_shown(payload)}"
            raise _Mismatch(Failure.mismatch(message))

    def _pump(self, enough: Callable[[], bool], deadline: float) -> bool:
        """Read what the program writes until it is enough; False: the deadline came first."""
        while not enough():
            if not self._step(deadline, ()):
                return False
        return True

    def _step(self, deadline: float, writable: tuple[int, ...]) -> bool:
        """Wait for one of the pipes and read once; False: the deadline came first."""
        poll = select.poll()
        for fd in self._open:
            poll.register(fd, select.POLLIN)
        for fd in writable:
            poll.register(fd, select.POLLOUT)
        ready = poll.poll(max((deadline - monotonic()) * 1000, 0))
        for fd, _ in ready:
            if fd not in self._open:
                continue
            data = os.read(fd, _CHUNK)
            if data:
                output = self.output[self._open[fd]]
                output += data[: max(LARGEST_OUTPUT - len(output), 0)]
            else:
                del self._open[fd]
                os.close(fd)
        return bool(ready)

    def _close_stdin(self) -> None:
        if self._stdin is not None:
            os.close(self._stdin)
            self._stdin = None

    def _forget_program(self) -> None:
        self._close_stdin()
        for fd in self._open:
            os.close(fd)
        self._open.clear()
        self._connections.clear()
        self._closing.close()
        self._program = None


def _shown(data: bytes) -> str:
    """Return bytes as a Python text, what is no UTF-8 escaped, and at most 2,000 of them."""
    text = codecs.decode(data[:2000], "utf-8", "backslashreplace")
    return repr(text) + ("..." if len(data) > 2000 else "")
