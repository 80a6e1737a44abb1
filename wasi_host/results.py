"""What a run gives back: a ``CompletedProcess`` that knows more, and the exceptions around it."""

from __future__ import annotations

import subprocess
from subprocess import DEVNULL, PIPE, STDOUT

from wasi_host.errors import Trap
from wasi_spec.tuples import NamedTuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final, TypeAlias

    from wasi_host.changes import Changes
    from wasi_host.files import GuestPath
    from wasi_host.fs.node import FileSystem
    from wasi_host.layers.trace import Trace

    _CompletedProcess: TypeAlias = subprocess.CompletedProcess[Any]
    # A plain tuple: results are made in microseconds.
    #: Seconds, memory, calls and fuel, as in ``Usage``; the last two may be left out.
    _Used: TypeAlias = tuple[float, int] | tuple[float, int, int | None, int | None]
else:
    _CompletedProcess = subprocess.CompletedProcess

__all__ = [
    "DEVNULL",
    "ENDED",
    "HOST_ERROR",
    "PIPE",
    "STDOUT",
    "TRAPPED",
    "CompletedRun",
    "RunError",
    "TimeoutExpired",
    "Trap",
    "Trapped",
    "Usage",
]

#: As ``subprocess`` reports the signals SIGABRT and SIGKILL.
TRAPPED: Final = -6
ENDED: Final = -9
#: An error of the host, as the command and ``Sandbox.map`` report it.
HOST_ERROR: Final = 125


class Usage(NamedTuple):
    """What a run used: wall-clock seconds, bytes of guest memory at the end, calls of WASI, fuel.

    ``calls`` and ``fuel`` are None where they were not counted: a trace and ``Limits.calls``
    count calls, ``Limits.fuel`` fuel.
    """

    seconds: float
    memory: int
    calls: int | None = None
    fuel: int | None = None


class CompletedRun(_CompletedProcess):
    """A run that ended.

    Attributes:
        args: the module and its arguments, as given.
        returncode: the guest's exit code (0 to 2^32-1); -6 after a trap, -9 when it was stopped.
        stdout, stderr: what was captured (bytes, or str in text mode), else None.
        stopped: None, or what ended the run: ``"timeout"``, ``"calls"``, ``"fuel"``, ``"killed"``,
            or ``"interrupt"`` where a signal's handler did not raise.
        limits_hit: the limits that answered the guest with an errno or cut a write:
            ``"memory"`` (it grew as far as it may), ``"output"``, ``"fs_bytes"``, ``"inodes"``,
            ``"open_files"``.
        truncated: the captured streams that were cut, ``"stdout"`` and ``"stderr"``.
        error: what kept a job of ``Sandbox.map`` from running, its exit code being 125; else None.
        trap: None, or the trap, with its wasm backtrace in ``trap.message``.
        usage: see ``Usage``.
        values: what the function named by ``invoke`` returned.
        trace: the calls, with ``trace=True``: ``str()`` is text like strace's, ``to_json()``
            has a line for each, ``summary()`` is a table.
    """

    # What most runs have; an instance only has what is otherwise, since it is made in
    # microseconds.
    stopped: str | None = None
    limits_hit: frozenset[str] = frozenset()
    truncated: frozenset[str] = frozenset()
    trap: Trap | None = None
    error: Exception | None = None
    values: tuple[int | float, ...] = ()
    trace: Trace | None = None
    _used: _Used = (0.0, 0)
    _watched: Sequence[tuple[bytes, Callable[[], object]]] = ()
    _changes: Changes | None = None
    # Pickled ones in a result from another process.
    _directories: Sequence[tuple[bytes, FileSystem | bytes]] = ()

    def __init__(
        self,
        args: Sequence[object],
        returncode: int,
        stdout: bytes | str | None = None,
        stderr: bytes | str | None = None,
        *,
        stopped: str | None = None,
        limits_hit: frozenset[str] = frozenset(),
        trap: Trap | None = None,
        used: _Used = (0.0, 0),
        values: tuple[int | float, ...] = (),
        truncated: frozenset[str] = frozenset(),
        error: Exception | None = None,
        trace: Trace | None = None,
        watched: Sequence[tuple[bytes, Callable[[], object]]] = (),
        directories: Sequence[tuple[bytes, FileSystem]] = (),
    ) -> None:
        self.args = args if type(args) is list else list(args)
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr
        self._used = used
        if stopped is not None:
            self.stopped = stopped
        if truncated:
            self.truncated = truncated
            limits_hit |= {"output"}
        if limits_hit:
            self.limits_hit = limits_hit
        if error is not None:
            self.error = error
        if trap is not None:
            self.trap = trap
        if values:
            self.values = values
        if trace is not None:
            self.trace = trace
        if watched:
            self._watched = watched
        if directories:
            self._directories = directories

    @property
    def files(self) -> GuestPath:
        """The guest's files after the run, to be read: ``result.files / "out/a.csv"``.

        A result that came from another process lacks filesystems of other libraries given as
        objects.

        Raises:
            OSError: a directory of a result from another process is gone.
        """
        from wasi_host.files import Directories, GuestPath, unpickled

        self._directories = opened = unpickled(self._directories)
        return GuestPath(Directories(opened))

    @property
    def usage(self) -> Usage:
        """What the run used."""
        return Usage(*self._used)

    @property
    def changes(self) -> Changes:
        """What is different in overlays and trees in memory, at guest paths.

        Found when it is first asked for: ask before another run with the same directories.
        """
        if self._changes is None:
            # Most results are never asked.
            from wasi_host.changes import changes_of_run

            self._changes = changes_of_run(self._watched)
        return self._changes

    def __getstate__(self) -> dict[str, object]:
        state = dict(self.__dict__)
        if state.pop("_watched", None):
            state["_changes"] = self.changes
        if self._directories:
            from wasi_host.files import pickled

            state["_directories"] = pickled(self._directories)
        return state

    def __repr__(self) -> str:
        shown = {"args": _brief(self.args), "returncode": repr(self.returncode)}
        for name in ("stdout", "stderr", "stopped", "error"):
            if getattr(self, name) is not None:
                shown[name] = repr(getattr(self, name))
        if self.trap is not None:
            shown["trap"] = repr(self.trap.cause or "trap")
        if self.limits_hit:
            shown["limits_hit"] = repr(set(self.limits_hit))
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in shown.items())})"

    def check_returncode(self) -> None:
        """Raise ``Trapped`` after a trap, ``RunError`` after any other exit code but 0."""
        if self.trap is not None:
            raise Trapped(self)
        if self.returncode:
            raise RunError(self)


def _brief(args: Sequence[object]) -> str:
    """Return the arguments as text; a module given as bytes only by its size."""
    first, *rest = args or [""]
    if isinstance(first, bytes):
        return f"[<module of {len(first):,} bytes>{''.join(f', {word!r}' for word in rest)}]"
    return repr(list(args))


class RunError(subprocess.CalledProcessError):
    """A checked run ended with another exit code than 0; ``result`` is the CompletedRun."""

    def __init__(self, result: CompletedRun) -> None:
        super().__init__(result.returncode, result.args, result.stdout, result.stderr)
        self.result = result

    def __str__(self) -> str:
        if self.returncode == ENDED:
            return f"{self.cmd!r} was ended ({self.result.stopped})"
        return f"{self.cmd!r} ended with exit code {self.returncode}"

    def __reduce__(self) -> tuple[type[RunError], tuple[CompletedRun]]:
        return type(self), (self.result,)


class Trapped(RunError):
    """A checked run trapped."""

    def __str__(self) -> str:
        trap = self.result.trap
        return f"{self.cmd!r} trapped: {trap.message if trap is not None else 'no cause known'}"


class TimeoutExpired(subprocess.TimeoutExpired):
    """``timeout`` seconds were over; ``result`` has what the guest wrote until then."""

    def __init__(self, result: CompletedRun, timeout: float) -> None:
        super().__init__(result.args, timeout, result.stdout, result.stderr)
        self.result = result

    def __reduce__(self) -> tuple[type[TimeoutExpired], tuple[CompletedRun, float]]:
        return type(self), (self.result, self.timeout)
