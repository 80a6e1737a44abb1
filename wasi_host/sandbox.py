"""Running programs: ``Sandbox`` is the recipe, ``Instance`` one live guest, ``run`` does it all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from wasi_host.command_line import refuse_keywords, word_list
from wasi_host.errors import ProcExit
from wasi_host.guest import Guest, Recipe
from wasi_host.modules import Module, load
from wasi_host.results import CompletedRun, TimeoutExpired
from wasi_host.runtimes.engines import check_runtime
from wasi_host.sockets import checked_sockets
from wasi_host.streams import Spec, specify
from wasi_host.surroundings import DEFAULT_LIMITS, checked_setting
from wasi_host.travel import Travel, check_travels, departing, travelling

TYPE_CHECKING = False

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from typing import Any

    from wasi_host.command_line import ModuleSource, Word
    from wasi_host.instance import Instance
    from wasi_host.layers.layer import Layer, PerRun
    from wasi_host.layers.trace import Trace
    from wasi_host.limits import Limits
    from wasi_host.mapping import Job
    from wasi_host.runtimes.contract import Pooling
    from wasi_host.sources import Source
    from wasi_host.world.clocks import Clock
    from wasi_host.world.sockets import SocketSource
    from wasi_host.world.stdio import StreamSource

__all__ = ["ProcExit", "Sandbox", "run"]


class Sandbox:
    """How to run a module: reusable and unchangeable. It pickles if what it is made of does.

    Args:
        module: a path, the bytes of a module, or a ``Module``.
        dirs: guest path -> source; the guest sees no other files. A source is a path to a host
            directory or file, a dict of files (a fresh tree in memory for each run), ``HostDir``,
            ``MemoryFS``, ``Overlay``, ``ReadOnly``, ``Quota``, ``Filter``, ``Archive``,
            ``Devices``, a filesystem of pyfilesystem2 or fsspec, or the URL of one.
        env: the guest's environment. Empty by default, unlike ``subprocess``.
        limits: sizes a run may use.
        rights: ``"grant"``: a descriptor opened by path can do all that its directory grants;
            ``"strict"``: just what its open asked for; a set of ``wasi_spec.Rights``: as
            ``"grant"``, but nothing beyond the set.
        sockets: listening or connected stream sockets, and connected datagram sockets, or their
            descriptors: the guest's descriptors after those of all directories. They stay
            yours: a run closes none of them and leaves O_NONBLOCK as it is. Without sockets
            here, the guest reaches no network.
        clock: the clocks of its guests, such as ``Clock.virtual(t)``; None: the host's.
        seed: makes random bytes the same in each run; None: the host's. With a clock and a seed
            runs are the same, byte for byte, as long as what they are given is: trees in memory
            are, in host directories inode numbers, times and order are the host's.
        runtime: the engine: ``"wasmtime"``, ``"pywasm"``, ``"pywasm3"`` (each with its extra), or
            the name of a plug-in. The others are slower, have no fuel and no cache, and
            pywasm3 is stopped at calls only; a warning or an exception says so.

    Raises:
        FileNotFoundError, NotADirectoryError: the module or a directory is missing.
        NotAWasiModule: the module is something else.
        TypeError, ValueError: an argument of the wrong kind, or out of range; there is no such
            engine, and the message says which there are.
    """

    __slots__ = ("_options", "recipe")

    def __init__(
        self,
        module: ModuleSource,
        *,
        dirs: Mapping[str, Source] | None = None,
        env: Mapping[str, str] | None = None,
        limits: Limits = DEFAULT_LIMITS,
        rights: str | int = "grant",
        sockets: Iterable[SocketSource] = (),
        clock: Clock | None = None,
        seed: int | None = None,
        runtime: str = "wasmtime",
    ) -> None:
        options: dict[str, Any] = {
            "dirs": travelling(dirs),
            "env": dict(env) if isinstance(env, Mapping) else env,
            "limits": limits,
            "rights": rights,
            "sockets": sockets,
            "clock": clock,
            "seed": seed,
        }
        setting = checked_setting(**options)
        if runtime != "wasmtime":
            check_runtime(runtime)
            options["runtime"] = runtime
        self._options = {**options, "module": module, "sockets": setting.sockets}
        self.recipe = Recipe(load(module), setting, runtime=runtime)

    @property
    def module(self) -> ModuleSource:
        """The module, as it was given."""
        given: ModuleSource = self._options["module"]
        return given

    def pooled(self, pooling: Pooling) -> Sandbox:
        """Return the same with instances that are made in a pool of the engine."""
        other = Sandbox.__new__(Sandbox)
        other._options = self._options
        other.recipe = self.recipe._replace(pooling=pooling)
        return other

    def replace(self, **changes: object) -> Sandbox:
        """Return a sandbox that differs in the arguments given here."""
        options: dict[str, Any] = {**self._options, "module": self.recipe.module, **changes}
        return Sandbox(**options)

    def __reduce__(self) -> tuple[Any, ...]:
        check_travels(self._options)
        return _rebuild, (self._options,)

    def __repr__(self) -> str:
        return f"Sandbox({self.recipe.module.name!r}, dirs={list(self._options['dirs'] or ())})"

    def run(
        self,
        argv: Iterable[Word] = (),
        *,
        input: str | bytes | None = None,
        stdin: StreamSource = None,
        stdout: StreamSource = None,
        stderr: StreamSource = None,
        capture_output: bool = False,
        text: bool | None = None,
        encoding: str | None = None,
        errors: str | None = None,
        timeout: float | None = None,
        check: bool = False,
        env: Mapping[str, str] | None = None,
        argv0: str | None = None,
        invoke: str | None = None,
        sockets: Iterable[SocketSource] | None = None,
        tty: bool | None = None,
        trace: bool | Trace = False,
        layers: Iterable[Layer | PerRun] = (),
    ) -> CompletedRun:
        """Run the module once, in a fresh instance; the keywords and exceptions are ``run``'s.

        ``argv`` is what follows the program's name; ``env`` and ``sockets`` are those of this
        run, None the sandbox's.
        """
        guest = self.guest(
            argv,
            stoppable=timeout is not None,
            command=invoke is None,
            input=input,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            capture_output=capture_output,
            text=text,
            encoding=encoding,
            errors=errors,
            env=env,
            argv0=argv0,
            sockets=sockets,
            tty=tty,
            trace=trace,
            layers=layers,
        )
        result = guest.run([self.module, *guest.words], invoke, timeout)
        return self.settled(guest, result, timeout, check)

    def guest(
        self,
        argv: Iterable[Word] = (),
        *,
        stoppable: bool,
        command: bool = True,
        input: str | bytes | None = None,
        stdin: StreamSource = None,
        stdout: StreamSource = None,
        stderr: StreamSource = None,
        capture_output: bool = False,
        text: bool | None = None,
        encoding: str | None = None,
        errors: str | None = None,
        env: Mapping[str, str] | None = None,
        argv0: str | None = None,
        sockets: Iterable[SocketSource] | None = None,
        tty: bool | None = None,
        trace: bool | Trace = False,
        layers: Iterable[Layer | PerRun] = (),
    ) -> Guest:
        """Return a guest that is to be run, with its surroundings open: for ``run`` and its like.

        The keywords are ``run``'s. ``stoppable``: whether it must be possible to stop it while it
        computes; ``command``: whether it is run by ``_start``.
        """
        words = [os.fspath(word) for word in word_list(argv)]
        spec = specify(
            input=input,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            capture_output=capture_output,
            text=text,
            encoding=encoding,
            errors=errors,
            tty=tty,
        )
        recipe = self.recipe
        if command:
            recipe.module.variant(recipe.mode(stoppable)).require_command(recipe.module.name)
        given = None if sockets is None else checked_sockets(sockets)
        return Guest(recipe, words, spec, argv0, env, stoppable, given, trace, layers)

    def settled(
        self, guest: Guest, result: CompletedRun, timeout: float | None, check: bool
    ) -> CompletedRun:
        """Return the result of a guest that has run, or raise what ``run`` raises."""
        failure = guest.around.take_failure()
        if failure is not None:
            raise failure
        least = self.recipe.setting.limits.timeout
        asked = timeout is not None and (least is None or timeout <= least)
        if result.stopped == "timeout" and timeout is not None and asked:
            raise TimeoutExpired(result, timeout)
        if check:
            result.check_returncode()
        return result

    def map(
        self,
        jobs: Iterable[Job],
        *,
        executor: Executor | None = None,
        chunksize: int | str = "auto",
        ordered: bool = True,
        progress: Callable[[int, int | None], object] | None = None,
    ) -> Iterator[CompletedRun]:
        """Run many jobs, on the workers of an executor; return an iterator of their results.

        Args:
            jobs: each an argument list, or a dict of keywords of ``run``. Standard input is
                empty and the outputs are captured, unless a job says otherwise. Taken from as
                workers have time: it may be endless.
            executor: any ``concurrent.futures.Executor``: threads; processes, made with
                ``forkserver`` or ``spawn`` (a forked process may not compile); Dask's
                ``Client.get_executor(pure=False)``. None: threads of its own, one for each CPU.
            chunksize: jobs sent together; ``"auto"``: as many as take a tenth of a second.
            ordered: whether results come in the order of the jobs, or as they are done.
            progress: called with the number of results so far, and of all jobs where that is
                known.

        A job that fails is a result, never an exception: one with an exit code, a trap,
        ``stopped``, or ``error``. What is lost with a worker process is done again in a new one;
        a job that ends its worker twice has ``stopped == "killed"``.

        Raises:
            TypeError: the sandbox cannot travel to other processes, and the executor has some.
            BrokenExecutor: the executor is broken and of a kind that cannot be made anew.
        """
        # Few need it, and it costs concurrent.futures and hashlib.
        from wasi_host.mapping import map_jobs

        return map_jobs(self.run, self._travel, jobs, executor, chunksize, ordered, progress)

    def _travel(self) -> Travel:
        return departing(self._options, self.recipe.module, _run_elsewhere)

    def instantiate(
        self,
        argv: Iterable[Word] = (),
        *,
        stdin: StreamSource = None,
        stdout: StreamSource = None,
        stderr: StreamSource = None,
        env: Mapping[str, str] | None = None,
        argv0: str | None = None,
        tty: bool | None = None,
        trace: bool | Trace = False,
        layers: Iterable[Layer | PerRun] = (),
    ) -> Instance:
        """Return a live instance of a reactor; ``_initialize`` is called if there is one.

        Raises:
            ProcExit: the module ended itself while it was set up.
            Trap: it trapped.
        """
        words = [os.fspath(word) for word in word_list(argv)]
        spec = Spec(stdin, stdout, stderr, None, None, tty)
        from wasi_host.instance import Instance  # most guests are commands

        guest = Guest(self.recipe, words, spec, argv0, env, False, trace=trace, layers=layers)
        return Instance(guest)


def run(
    args: Iterable[ModuleSource | Word],
    *,
    input: str | bytes | None = None,
    stdin: StreamSource = None,
    stdout: StreamSource = None,
    stderr: StreamSource = None,
    capture_output: bool = False,
    text: bool | None = None,
    encoding: str | None = None,
    errors: str | None = None,
    timeout: float | None = None,
    check: bool = False,
    env: Mapping[str, str] | None = None,
    dirs: Mapping[str, Source] | None = None,
    argv0: str | None = None,
    invoke: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    rights: str | int = "grant",
    sockets: Iterable[SocketSource] = (),
    tty: bool | None = None,
    clock: Clock | None = None,
    seed: int | None = None,
    trace: bool | Trace = False,
    layers: Iterable[Layer | PerRun] = (),
    runtime: str = "wasmtime",
    **not_here: object,
) -> CompletedRun:
    """Run a WASI command and wait for its end, like ``subprocess.run``.

    Args:
        args: ``[module, *argv]``; the module is a path, bytes, or a ``Module``.
        input: what the guest reads on standard input; bytes, or str in text mode.
        stdin: None: the process's own; ``PIPE``: empty; ``DEVNULL``; a descriptor, a file
            object, a ``Path``, bytes or str (the input itself), or a function
            ``f(size) -> bytes``.
        stdout: None: the process's own; ``PIPE``: captured; ``DEVNULL``; a descriptor, a file
            object, a path, or a function ``f(bytes)``.
        stderr: as ``stdout``; also ``STDOUT``.
        capture_output: capture both.
        text: captured output and ``input`` are str, in UTF-8.
        encoding: text mode with this encoding.
        errors: text mode with this way to meet undecodable bytes, as in ``bytes.decode``; for a
            text file object as output too, which gets U+FFFD otherwise.
        timeout: seconds after which the guest is stopped, whatever it does.
        check: raise unless the exit code is 0.
        env: the guest's environment. Empty by default, unlike ``subprocess``.
        dirs: guest path -> source, such as ``{"/data": "some/path", "/in": {"a.txt": b"..."}}``;
            the guest sees no other files. For all kinds of sources see ``Sandbox``.
        argv0: what the guest is told as its name; the module's file name by default.
        invoke: an exported function to call instead of ``_start``, with the arguments as
            numbers; what it returns is ``values`` of the result.
        limits: sizes it may use.
        rights: see ``Sandbox``.
        sockets: listening or connected sockets the guest may use; see ``Sandbox``.
        tty: whether the guest is told that its streams are terminals; None: each as it is.
        clock: the guest's clocks; see ``Sandbox``.
        seed: makes its random bytes the same in each run; see ``Sandbox``.
        trace: note every call in ``trace`` of the result; or a ``Trace`` that shows some only,
            or writes them as they happen.
        layers: what stands around the guest's calls, outermost first: ``policy``, ``record``,
            ``replay``, ``faults``, or functions of yours, ``layer(row, call) -> call``.
        runtime: the engine; see ``Sandbox``.
        **not_here: other keywords of ``subprocess.run`` are refused with a word.

    Raises:
        FileNotFoundError, NotADirectoryError: the module or a directory is missing.
        NotAWasiModule: the module is something else; the message says what.
        TimeoutExpired: ``timeout`` was over; it carries what was captured.
        RunError, Trapped: with ``check``, another exit code than 0, or a trap.
        KeyboardInterrupt: Ctrl-C, after the guest was stopped.
        TypeError, ValueError: as ``subprocess.run`` for the same mistakes.
        AttributeError: the module exports no function ``invoke``.
        Exception: what a stream or hook of yours raised, after the guest has ended.
    """
    refuse_keywords("run", not_here)
    words = word_list(args)
    if not words:
        raise ValueError("args is empty: it is [module, *arguments]")
    module, *argv = words
    sandbox = Sandbox(
        module, dirs=dirs, env=env, limits=limits, rights=rights, sockets=sockets, clock=clock,
        seed=seed, runtime=runtime,
    )  # fmt: skip
    return sandbox.run(
        argv, input=input, stdin=stdin, stdout=stdout, stderr=stderr,
        capture_output=capture_output, text=text, encoding=encoding, errors=errors,
        timeout=timeout, check=check, argv0=argv0, invoke=invoke, tty=tty, trace=trace,
        layers=layers,
    )  # fmt: skip


def _run_elsewhere(options: dict[str, Any], module: Module) -> Callable[..., CompletedRun]:
    return Sandbox(module, **options).run


def _rebuild(options: dict[str, Any]) -> Sandbox:
    return Sandbox(**options)
