"""What runs the programs: an engine of ours with a filesystem, in this process, or another host.

Other hosts are reached through the official runner's adapter modules, unchanged: Python files
with ``get_name``, ``get_version``, ``get_wasi_versions``, ``get_wasi_worlds`` and
``compute_argv``.
"""

import importlib.util
import os
import subprocess
import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import ExitStack
from copy import copy
from pathlib import Path
from typing import Any, Final, Protocol, TypedDict

from conformance import sockets
from conformance.engines import ENGINES
from conformance.filesystems import FILESYSTEMS
from conformance.session import Program
from conformance.suite import COMMAND_WORLD, VERSION, Case, Kill, Run, Unsupported, Wait
from wasi_host.errors import ProcExit, Trap
from wasi_host.observers import Trace
from wasi_host.results import TRAPPED, CompletedRun, TimeoutExpired
from wasi_host.sandbox import Sandbox

#: Adapters that come with the package.
ADAPTERS: Final = Path(__file__).parent / "adapters"
#: What a process can say of an exit code.
LARGEST_STATUS: Final = 255
PEERS: Final = ("node_wasi", "wasmtime_wasi")


class Streams(TypedDict):
    """The guest's ends of its pipes."""

    stdin: int
    stdout: int
    stderr: int


class AdapterError(ValueError):
    """A file that is no adapter; the message names it."""


class Host(ABC):
    """One column of the matrix.

    Attributes:
        name: how reports call it.
        version: the version of the host.
        absent: why it is not there; empty: it is.
        expectations: files that say which tests it cannot pass.
    """

    name: str
    version: str
    absent: str = ""
    expectations: tuple[Path, ...] = ()

    @abstractmethod
    def cannot(self, case: Case) -> str:
        """Return why it has not what a test needs; empty: it has."""

    def traced(self) -> "Traced | None":
        """Return the same host with its system calls noted; None: it cannot tell them."""
        return None

    @abstractmethod
    def start(self, case: Case, run: Run, dirs: dict[str, Path], timeout: float) -> Program:
        """Start a test's program.

        Args:
            case: the test.
            run: its arguments and environment.
            dirs: guest path -> a directory of the test's own.
            timeout: seconds after which it may be ended.

        Raises:
            OSError: it cannot be started.
        """


class Traced(Protocol):
    """A host that notes the system calls of one program."""

    def start(self, case: Case, run: Run, dirs: dict[str, Path], timeout: float) -> Program:
        """Start a test's program; see ``Host.start``."""

    def calls(self) -> str:
        """Return the calls so far, as text like strace's."""


class InProcess(Host):
    """Our host, in this process.

    Args:
        runtime: a key of ``ENGINES``. One that is not installed is ``absent``.
        filesystem: a key of ``FILESYSTEMS``.
        rights: ``"grant"`` or ``"strict"``.

    Raises:
        ValueError: there is no such engine, no such filesystem.
    """

    def __init__(self, runtime: str, filesystem: str, rights: str = "grant") -> None:
        if runtime not in ENGINES:
            raise ValueError(f"there is no engine {runtime!r}; there are {', '.join(ENGINES)}")
        if filesystem not in FILESYSTEMS:
            there = ", ".join(FILESYSTEMS)
            raise ValueError(f"there is no filesystem {filesystem!r}; there are {there}")
        self._filesystem = FILESYSTEMS[filesystem]
        self._runtime, engine = runtime, ENGINES[runtime]
        self._stoppable = engine.stoppable
        self._rights = rights
        self._trace: Trace | None = None
        self.name = f"{runtime}/{filesystem}" + (" strict" if rights == "strict" else "")
        self.version = _version(runtime)
        if not engine.installed:
            self.absent = f"the engine {runtime} is not installed"
        files = engine.expectations, self._filesystem.expectations
        self.expectations = tuple(file for file in files if file is not None)

    def cannot(self, case: Case) -> str:
        """Return why it has not what a test needs."""
        for operation in case.operations:
            if isinstance(operation, Kill):
                return "a guest in this process gets no signals"
        return _beyond_preview1(case)

    def traced(self) -> "InProcess":
        """Return the same host with its system calls noted, for one program."""
        other = copy(self)
        other._trace = Trace()
        return other

    def calls(self) -> str:
        """Return the calls so far, as text like strace's."""
        return str(self._trace) if self._trace is not None else ""

    def start(self, case: Case, run: Run, dirs: dict[str, Path], timeout: float) -> Program:
        """Start a guest in a thread of its own."""
        trace = self._trace or False

        def life(streams: Streams) -> int:
            opened = {guest: self._filesystem.open(path) for guest, path in dirs.items()}
            with sockets.open_for(case.sockets) as granted:
                sandbox = Sandbox(
                    case.wasm, dirs=opened, env=run.env, rights=self._rights, sockets=granted,
                    runtime=self._runtime,
                )  # fmt: skip
                if case.reactor:
                    return _call_in_turn(sandbox, run, case.reactor, streams, trace)
                limit = timeout if self._stoppable else None
                return _exit_code(sandbox.run(run.args, timeout=limit, trace=trace, **streams))

        return _Guest(life, [str(case.wasm), *run.args])


def _exit_code(result: CompletedRun) -> int:
    if result.trap is not None:
        raise result.trap
    return result.returncode


def _call_in_turn(
    sandbox: Sandbox,
    run: Run,
    functions: tuple[str, ...],
    streams: Streams,
    trace: bool | Trace,
) -> int:
    """Call the functions of a reactor on one instance; return the exit code."""
    try:
        with sandbox.instantiate(run.args, trace=trace, **streams) as instance:
            for name in functions:
                instance.call(name)
    except ProcExit as ended:
        return ended.code
    return 0


class _Guest:
    """A guest in a thread, with pipes for streams.

    Args:
        life: runs it with descriptors for its streams; returns its exit code.
        argv: the words by which reports call it.
    """

    def __init__(self, life: Callable[[Streams], int], argv: list[str]) -> None:
        self.argv = argv
        self._life = life
        self._code: int | None = None
        self._notes = ""
        with ExitStack() as opened:
            fds = [fd for _ in range(3) for fd in _pipe(opened)]
            opened.pop_all()
        guests_stdin, self.stdin, self.stdout, guests_stdout, self.stderr, guests_stderr = fds
        self._streams = Streams(stdin=guests_stdin, stdout=guests_stdout, stderr=guests_stderr)
        # A daemon: a host that hangs in a call of ours must not keep this process from ending.
        self._thread = threading.Thread(target=self._main, name=argv[0], daemon=True)
        self._thread.start()

    def _main(self) -> None:
        try:
            self._code = self._life(self._streams)
        except TimeoutExpired:
            return  # the session notices it too, and says so
        except Trap as trap:
            self._code, self._notes = TRAPPED, trap.message
        except Exception:
            # What the host under test raises is a finding, whatever it is.
            self._notes = traceback.format_exc()
        finally:
            for fd in (self._streams["stdin"], self._streams["stdout"], self._streams["stderr"]):
                os.close(fd)

    def wait(self, timeout: float) -> int | None:
        self._thread.join(timeout)
        return None if self._thread.is_alive() else self._code

    def send_signal(self, number: int) -> None:
        raise ValueError("a guest in this process gets no signals")

    def abandon(self) -> None:
        """Its own timeout ends it."""

    def notes(self) -> str:
        return self._notes


def _pipe(opened: ExitStack) -> tuple[int, int]:
    """Return a pipe that is closed again if a later step fails."""
    reading, writing = os.pipe()
    opened.callback(os.close, reading)
    opened.callback(os.close, writing)
    return reading, writing


class Adapter(Protocol):
    """What the official runner asks of an adapter module; ``get_timeout_seconds`` is optional."""

    def get_name(self) -> str:
        """Return the host's name."""

    def get_version(self) -> str:
        """Return the host's version."""

    def get_wasi_versions(self) -> list[str]:
        """Return the versions of WASI it has: ``wasm32-wasip1``."""

    def get_wasi_worlds(self) -> list[str]:
        """Return the worlds it has: ``wasi:cli/command``."""

    def compute_argv(
        self,
        test_path: str,
        args_env_root: Any,  # noqa: ANN401  a list of three in today's runner, a tuple in others
        proposals: list[str],
        wasi_world: str,
        wasi_version: str,
    ) -> list[str]:
        """Return the words of the command that runs a program."""


def load_adapter(path: Path) -> Adapter:
    """Import an adapter module from its file.

    Raises:
        AdapterError: it lacks a function of an adapter, or is not Python.
        FileNotFoundError: there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such adapter")
    spec = importlib.util.spec_from_file_location(f"adapter_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise AdapterError(f"{path}: an adapter is a Python file")
    module: Any = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, ImportError) as error:
        raise AdapterError(f"{path}: {error}") from None
    wanted = [name for name in vars(Adapter) if name.startswith(("get_", "compute_"))]
    if missing := [name for name in wanted if not callable(getattr(module, name, None))]:
        raise AdapterError(f"{path}: an adapter has {', '.join(missing)} too")
    adapter: Adapter = module
    return adapter


class Outside(Host):
    """Another host, started as a process for each test.

    Args:
        adapter: tells how. A host that is not there is ``absent``, with the reason.
    """

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self.name, self.version = adapter.get_name(), ""
        try:
            self.version = adapter.get_version()
        except subprocess.CalledProcessError as error:
            words = str(error.stderr or error).strip().splitlines() or [str(error)]
            self.absent = f"{self.name} is not here: {words[-1]}"
            return
        except (OSError, ImportError) as error:
            self.absent = f"{self.name} is not here: {error}"
            return
        self._versions = adapter.get_wasi_versions()
        self._worlds = adapter.get_wasi_worlds()

    def cannot(self, case: Case) -> str:
        """Return why it has not what a test needs."""
        if VERSION not in self._versions:
            return f"it does not run {VERSION}"
        if case.world not in self._worlds:
            return f"it does not have the world {case.world}"
        for key in ("mounts", "sockets", "reactor"):
            if getattr(case, key):
                return f"an adapter has no way to ask for {key}"
        if any(
            isinstance(step, Wait) and step.exit_code > LARGEST_STATUS for step in case.operations
        ):
            return f"a process cannot end with a status above {LARGEST_STATUS}"
        return _beyond_preview1(case)

    def start(self, case: Case, run: Run, dirs: dict[str, Path], timeout: float) -> Program:
        """Start the process."""
        root = str(dirs["/"]) if "/" in dirs else None
        argv = self._adapter.compute_argv(
            str(case.wasm),
            [list(run.args), dict(run.env), root],
            list(case.proposals),
            case.world,
            VERSION,
        )
        return _Process(argv)


class _Process:
    """A host's process."""

    def __init__(self, argv: list[str]) -> None:
        self.argv = argv
        pipe = subprocess.PIPE
        # Unbuffered and detached: the session reads and closes the descriptors.
        self._process = subprocess.Popen(argv, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe)
        streams = (self._process.stdin, self._process.stdout, self._process.stderr)
        self.stdin, self.stdout, self.stderr = (os.dup(s.fileno()) for s in streams if s)
        for stream in streams:
            if stream:
                stream.close()

    def wait(self, timeout: float) -> int | None:
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def abandon(self) -> None:
        self._process.kill()
        self._process.wait()

    def notes(self) -> str:
        return ""


def _beyond_preview1(case: Case) -> str:
    if case.world != COMMAND_WORLD:
        return f"the world {case.world} is not of preview 1"
    if case.proposals:
        return f"the proposals {', '.join(case.proposals)} are not of preview 1"
    if any(isinstance(operation, Unsupported) for operation in case.operations):
        return "it needs an HTTP client"
    return ""


def _version(runtime: str) -> str:
    """Return the versions of ours and of the engine, as far as they are installed."""
    from importlib.metadata import PackageNotFoundError, version  # 36 ms

    found = []
    for name in ("wasi-host", runtime):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
