"""``spawn``: a guest that runs while its embedder goes on, as ``subprocess.Popen`` is.

The guest runs on a thread of its own. Where a pipe is asked for, it is one of the host's, so
that both sides have what they know: buffering, ``select``, an end of file, a reader that is gone.
"""

import os
import selectors
import subprocess
import threading
from collections.abc import Iterable
from contextlib import suppress
from io import TextIOWrapper
from time import monotonic
from types import TracebackType
from typing import IO, Any, Final

from wasi_host.command_line import ModuleSource, Word, split_args
from wasi_host.guest import Guest
from wasi_host.results import PIPE, CompletedRun, TimeoutExpired
from wasi_host.sandbox import Sandbox

__all__ = ["Running", "spawn"]

_CHUNK: Final = 64 << 10
_TEXT: Final = ("text", "encoding", "errors")
#: Keywords of ``run`` that ``spawn`` does not have.
_WITHOUT: Final = {
    "input": "give it to communicate(), with stdin=PIPE",
    "capture_output": "give stdout=PIPE, stderr=PIPE",
    "check": "look at returncode, or call result.check_returncode()",
    "invoke": "a function of a reactor is called by Sandbox.instantiate()",
}


class Running:
    """A guest that runs on a thread of its own; as ``subprocess.Popen``. A context manager.

    Made by ``spawn``. Leaving the context closes the pipes and waits for the guest; if it is left
    by an exception, the guest is killed first.

    Attributes:
        args: the module and its arguments, as given.
        stdin, stdout, stderr: the embedder's ends of the pipes that were asked for, else None.
    """

    def __init__(
        self, guest: Guest, args: list[object], pipes: "_Pipes", timeout: float | None
    ) -> None:
        self.args = args
        self.stdin, self.stdout, self.stderr = pipes.files
        self._guest = guest
        self._result: CompletedRun | None = None
        self._error: BaseException | None = None
        self._ended = threading.Event()
        thread = threading.Thread(
            target=self._run, args=(pipes, timeout), name="wasi_host spawned", daemon=True
        )
        thread.start()

    def _run(self, pipes: "_Pipes", timeout: float | None) -> None:
        try:
            self._result = self._guest.run(self.args, None, timeout)
            self._error = self._guest.around.take_failure()
        except BaseException as error:
            self._error = error
        finally:
            pipes.close_guests()
            self._ended.set()

    @property
    def returncode(self) -> int | None:
        """The guest's exit code once it has ended and was waited for, as ``poll`` returns it."""
        return self.poll()

    def poll(self) -> int | None:
        """Return the exit code, or None while the guest runs."""
        if not self._ended.is_set():
            return None
        return self.result.returncode

    @property
    def result(self) -> CompletedRun:
        """The ``CompletedRun`` of a guest that has ended.

        Raises:
            RuntimeError: it runs still.
            Exception: what a stream of the embedder's raised, or the host.
        """
        if not self._ended.is_set():
            raise RuntimeError("the guest runs still: wait() for it, or kill() it")
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit code.

        Raises:
            subprocess.TimeoutExpired: the guest runs still after ``timeout`` seconds.
        """
        if not self._ended.wait(timeout):
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)  # type: ignore[arg-type]
        return self.result.returncode

    def kill(self) -> None:
        """End the guest, whatever it is doing; nothing where it has ended. It is -9 then."""
        if not self._ended.is_set():
            self._guest.stop("killed")

    #: A guest has no handlers for signals: both are the same to it.
    terminate = kill

    def communicate(
        self, input: str | bytes | None = None, timeout: float | None = None
    ) -> tuple[bytes | str | None, bytes | str | None]:
        """Write the input, read both outputs to their ends, wait; return the outputs.

        Args:
            input: for standard input, which must be a pipe; str in text mode.
            timeout: seconds.

        Raises:
            TimeoutExpired: the time was over; the guest runs still, and nothing is lost: call
                again, or ``kill`` it and call again.
            ValueError: there is input, and standard input is no pipe.
        """
        if input is not None and self.stdin is None:
            raise ValueError("there is input, but stdin is no pipe: spawn with stdin=PIPE")
        deadline = None if timeout is None else monotonic() + timeout
        if not hasattr(self, "_exchange"):
            self._exchange = _Exchange(self.stdin, self.stdout, self.stderr, input)
        done = self._exchange.run(deadline)
        left = None if deadline is None else max(deadline - monotonic(), 0)
        if not done or not self._ended.wait(left):
            out, err = self._exchange.so_far()
            assert timeout is not None
            raise TimeoutExpired(
                CompletedRun(self.args, 0, out, err, stopped="timeout"), timeout
            )
        self.result  # noqa: B018  raises what the host or a stream raised
        return self._exchange.outputs()

    def __enter__(self) -> "Running":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.kill()
        for stream in (self.stdout, self.stderr):
            if stream is not None:
                stream.close()
        try:
            if self.stdin is not None:
                self.stdin.close()
        except BrokenPipeError:
            pass  # the guest did not want the rest
        finally:
            self._ended.wait()


class _Pipes:
    """The pipes that were asked for: the guest's ends as descriptors, ours as file objects."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.files: list[IO[Any] | None] = [None, None, None]
        self._guests: list[int] = []
        text = any(options.get(name) for name in _TEXT)
        try:
            for number, name in enumerate(("stdin", "stdout", "stderr")):
                if options.get(name) == PIPE and type(options[name]) is int:
                    read, write = os.pipe()
                    ours, theirs = (write, read) if number == 0 else (read, write)
                    self._guests.append(theirs)
                    options[name] = theirs
                    file: IO[Any] = open(ours, "rb" if number else "wb")  # noqa: SIM115
                    if text:
                        encoding = options.get("encoding") or "utf-8"
                        file = TextIOWrapper(
                            file, encoding, options.get("errors"), write_through=number == 0
                        )
                    self.files[number] = file
        except BaseException:
            self.close()
            raise

    def close_guests(self) -> None:
        """Close the guest's ends: readers see the end, writers that nobody reads."""
        for fd in self._guests:
            os.close(fd)
        self._guests.clear()

    def close(self) -> None:
        """Close everything."""
        self.close_guests()
        for file in self.files:
            if file is not None:
                file.close()


class _Exchange:
    """Writes input and reads outputs at once, so that no side waits for the other for ever."""

    def __init__(
        self,
        stdin: IO[Any] | None,
        stdout: IO[Any] | None,
        stderr: IO[Any] | None,
        data: str | bytes | None,
    ) -> None:
        self._selector = selectors.DefaultSelector()
        self._outputs: list[tuple[IO[Any], bytearray] | None] = []
        self._stdin = stdin
        if stdin is not None:
            if isinstance(data, str):
                if not isinstance(stdin, TextIOWrapper):
                    raise TypeError("input is str: spawn with text=True, or give bytes")
                data = data.encode(stdin.encoding, stdin.errors or "strict")
            self._rest = memoryview(data or b"")
            try:
                stdin.flush()
            except BrokenPipeError:
                self._rest = self._rest[:0]
            if self._rest:
                os.set_blocking(stdin.fileno(), False)
                self._selector.register(stdin, selectors.EVENT_WRITE)
            else:
                self._close_stdin()
        for stream in (stdout, stderr):
            if stream is None:
                self._outputs.append(None)
                continue
            self._outputs.append((stream, bytearray()))
            self._selector.register(stream, selectors.EVENT_READ, self._outputs[-1])

    def _close_stdin(self) -> None:
        assert self._stdin is not None
        with suppress(BrokenPipeError):  # it did not want the rest
            self._stdin.close()

    def run(self, deadline: float | None) -> bool:
        """Go on until both outputs are at their ends and the input is written, or time is over."""
        while self._selector.get_map():
            left = None if deadline is None else deadline - monotonic()
            if left is not None and left < 0:
                return False
            for key, _ in self._selector.select(left):
                if key.data is None:
                    self._write(key.fd)
                else:
                    self._read(key)
        self._selector.close()  # its map is None then
        return True

    def _write(self, fd: int) -> None:
        try:
            self._rest = self._rest[os.write(fd, self._rest[:_CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._rest = self._rest[:0]
        if not self._rest:
            self._selector.unregister(fd)
            self._close_stdin()

    def _read(self, key: selectors.SelectorKey) -> None:
        stream, kept = key.data
        data = os.read(key.fd, _CHUNK)
        if data:
            kept += data
        else:
            self._selector.unregister(stream)
            stream.close()

    def so_far(self) -> tuple[bytes | None, bytes | None]:
        """Return what was read until now, as bytes."""
        out, err = (None if item is None else bytes(item[1]) for item in self._outputs)
        return out, err

    def outputs(self) -> tuple[bytes | str | None, bytes | str | None]:
        """Return what was read, as text in text mode."""
        out, err = (None if item is None else _decoded(*item) for item in self._outputs)
        return out, err


def _decoded(stream: IO[Any], data: bytearray) -> bytes | str:
    if not isinstance(stream, TextIOWrapper):
        return bytes(data)
    text = data.decode(stream.encoding, stream.errors or "strict")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def spawn(args: Iterable[ModuleSource | Word], **keywords: Any) -> Running:
    """Start a WASI command and return at once, like ``subprocess.Popen``.

    Args:
        args: ``[module, *argv]``, as in ``run``.
        **keywords: as ``run`` has them, but ``input``, ``capture_output``, ``check``, ``invoke``;
            ``PIPE`` gives a pipe, whose other end is an attribute of what is returned. Streams
            that are left out are inherited. ``timeout``: seconds after which the guest is
            stopped.

    Raises:
        TypeError, ValueError, OSError, NotAWasiModule: as ``run``, before anything runs.
    """
    module, argv, options = split_args(args, keywords, "spawn", _WITHOUT)
    timeout = keywords.pop("timeout", None)
    sandbox = Sandbox(module, **options)
    pipes = _Pipes(keywords)
    try:
        guest = sandbox.guest(argv, stoppable=True, **keywords)
        return Running(guest, [module, *guest.words], pipes, timeout)
    except BaseException:
        pipes.close()
        raise
