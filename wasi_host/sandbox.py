"""Running programs: ``Sandbox`` is the recipe, ``Instance`` one live guest, ``run`` does it all."""

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from wasi_host.errors import ProcExit
from wasi_host.guest import Guest, Recipe
from wasi_host.interrupts import Interruptible
from wasi_host.limits import Limits
from wasi_host.modules import Module, load
from wasi_host.results import CompletedRun, TimeoutExpired
from wasi_host.runtimes.wasmtime_pooling import Pooling
from wasi_host.sources import SocketSource, Source, checked_sockets
from wasi_host.streams import Spec, specify
from wasi_host.surroundings import DEFAULT_LIMITS, checked_setting
from wasi_host.world.clocks import Clock
from wasi_host.world.stdio import StreamSource

if TYPE_CHECKING:
    from wasi_host.layers.layer import Layer, PerRun
    from wasi_host.layers.trace import Trace

__all__ = ["Instance", "ProcExit", "Sandbox", "run"]

#: One word of a command line.
Word = str | bytes | os.PathLike[str]
#: What names a module.
ModuleSource = str | bytes | os.PathLike[str] | Module

#: Keywords of ``subprocess.run`` that cannot be meant here, and what to do instead.
_NOT_HERE = {
    "cwd": "a guest is in no directory of the host: give dirs={'.': path}",
    "shell": "there is no shell in a sandbox: give the module and its arguments",
    "executable": "the module is the first of args; argv0= names it to the guest",
    "preexec_fn": "nothing is forked",
    "universal_newlines": "give text=True",
}


class Sandbox:
    """How to run a module: reusable, unchangeable; one of paths, bytes and dicts pickles.

    Args:
        module: a path, the bytes of a module, or a ``Module``.
        dirs: guest path -> source; the guest sees no other files. A str or path is a host
            directory, a dict a fresh tree in memory for each run; see ``HostDir``, ``MemoryFS``.
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

    Raises:
        FileNotFoundError, NotADirectoryError: the module or a directory is missing.
        NotAWasiModule: the module is something else.
        TypeError, ValueError: an argument of the wrong kind, or out of range.
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
    ) -> None:
        options: dict[str, Any] = {
            "dirs": dirs,
            "env": env,
            "limits": limits,
            "rights": rights,
            "sockets": sockets,
            "clock": clock,
            "seed": seed,
        }
        setting = checked_setting(**options)
        self._options = {**options, "module": module, "sockets": setting.sockets}
        self.recipe = Recipe(load(module), setting)

    @property
    def module(self) -> ModuleSource:
        """The module, as it was given."""
        given: ModuleSource = self._options["module"]
        return given

    def pooled(self, pooling: Pooling) -> "Sandbox":
        """Return the same with instances that are made in a pool of the engine."""
        other = Sandbox.__new__(Sandbox)
        other._options = self._options
        other.recipe = self.recipe._replace(pooling=pooling)
        return other

    def replace(self, **changes: object) -> "Sandbox":
        """Return a sandbox that differs in the arguments given here."""
        options: dict[str, Any] = {**self._options, "module": self.recipe.module, **changes}
        return Sandbox(**options)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._options["sockets"]:
            # A number would be somebody else's descriptor in another process.
            raise TypeError("a Sandbox with sockets belongs to this process; it does not pickle")
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
        trace: "bool | Trace" = False,
        layers: "Iterable[Layer | PerRun]" = (),
    ) -> CompletedRun:
        """Run the module once, in a fresh instance; the keywords and exceptions are ``run``'s.

        ``argv`` is what follows the program's name; ``env`` and ``sockets`` are those of this
        run, None the sandbox's.
        """
        recipe = self.recipe
        words = [os.fspath(word) for word in _list(argv)]
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
        epochs = timeout is not None
        if invoke is None:
            stack = recipe.setting.limits.stack
            variant = recipe.module.variant(epochs, stack, recipe.pooling)
            variant.require_command(recipe.module.name)
        granted_sockets = None if sockets is None else checked_sockets(sockets)
        guest = Guest(recipe, words, spec, argv0, env, epochs, granted_sockets, trace, layers)
        result = guest.run([self._options["module"], *words], words, invoke, timeout)
        failure = guest.around.take_failure()
        if failure is not None:
            raise failure
        if result.stopped == "timeout" and timeout is not None:
            raise TimeoutExpired(result, timeout)
        if check:
            result.check_returncode()
        return result

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
        trace: "bool | Trace" = False,
        layers: "Iterable[Layer | PerRun]" = (),
    ) -> "Instance":
        """Return a live instance of a reactor; ``_initialize`` is called if there is one.

        Raises:
            ProcExit: the module ended itself while it was set up.
            Trap: it trapped.
        """
        words = [os.fspath(word) for word in _list(argv)]
        spec = Spec(stdin, stdout, stderr, None, None, tty)
        return Instance(
            Guest(self.recipe, words, spec, argv0, env, epochs=False, trace=trace, layers=layers)
        )


class Instance:
    """A live reactor: call its functions, as often as wanted. A context manager.

    It may be used from any thread, by one at a time. Closing it frees its memory; views of that
    must not be used afterwards. Made by ``Sandbox.instantiate``.
    """

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._closed = False
        self._started = False
        try:
            self._instance = guest.enter(guest.instantiate)
            if "_initialize" in self._instance.exports:
                self.call("_initialize")
        except BaseException:
            self.close()
            raise

    @property
    def memory(self) -> memoryview:
        """The guest's memory as it is now; after growth ask again."""
        return self._instance.memory

    @property
    def exports(self) -> list[str]:
        """The names of the exported functions."""
        return [name for name, export in self._instance.exports.items() if export.type is not None]

    @property
    def stdout(self) -> bytes | str | None:
        """What was captured of standard output so far, with ``stdout=PIPE``."""
        return self._guest.streams.captured(1)

    @property
    def stderr(self) -> bytes | str | None:
        """What was captured of standard error so far, with ``stderr=PIPE``."""
        return self._guest.streams.captured(2)

    @property
    def trace(self) -> "Trace | None":
        """The calls so far, with ``trace=``."""
        observers = self._guest.around.observers
        return None if observers is None else observers.trace

    def call(self, name: str, *arguments: float) -> int | float | tuple[int | float, ...] | None:
        """Call an exported function.

        Returns:
            Its result; a tuple of several, None of none. Integers come back signed.

        Raises:
            AttributeError: no such function.
            TypeError, OverflowError: arguments of another number, type or range.
            ProcExit: the guest called ``proc_exit``.
            Trap: it trapped.
            RuntimeError: the instance is closed, or runs in another thread; ``_start`` again.
            Exception: what a stream or hook of the embedder's raised; the guest saw an errno.
        """
        if name == "_start" and name in self._instance.exports:
            if self._started:
                raise RuntimeError("this instance has ended: _start runs once")
            self._started = True
        with Interruptible(self._guest.stop):
            values = self._guest.enter(lambda: self._instance.call(name, *arguments))
        failure = self._guest.around.take_failure()
        if failure is not None:
            raise failure
        return values[0] if len(values) == 1 else tuple(values) or None

    def close(self) -> None:
        """Free the instance; twice is harmless."""
        if not self._closed:
            if self._guest.instance is not None:
                self._guest.instance.close()  # refused while it runs: then all stays as it is
            self._closed = self._guest.around.finished = True
            self._guest.close()

    def __enter__(self) -> "Instance":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
    trace: "bool | Trace" = False,
    layers: "Iterable[Layer | PerRun]" = (),
    **not_here: object,
) -> CompletedRun:
    """Run a WASI command and wait for its end, like ``subprocess.run``.

    Args:
        args: ``[module, *argv]``; the module is a path, bytes, or a ``Module``.
        input: what the guest reads on standard input; bytes, or str in text mode.
        stdin: None: the process's own; ``PIPE``: empty; ``DEVNULL``; a descriptor, a file
            object, a path, bytes, or a function ``f(size) -> bytes``.
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
        dirs: guest path -> source (a path, a dict of files, ``HostDir``, ``MemoryFS``); the
            guest sees no other files.
        argv0: what the guest is told as its name; the module's file name by default.
        invoke: an exported function to call instead of ``_start``, with the arguments as
            numbers; what it returns is ``values`` of the result.
        limits: sizes it may use.
        rights: see ``Sandbox``.
        sockets: listening or connected sockets the guest may use; see ``Sandbox``.
        tty: whether the guest is told that its standard streams are terminals (``isatty``);
            None: each as it is.
        clock: the guest's clocks; see ``Sandbox``.
        seed: makes its random bytes the same in each run; see ``Sandbox``.
        trace: note every call in ``trace`` of the result; or a ``Trace`` that shows some only,
            or writes them as they happen.
        layers: what stands around the guest's calls, outermost first: ``policy``, ``record``,
            ``replay``, ``faults``, or functions of yours, ``layer(row, call) -> call``.
        **not_here: other keywords of ``subprocess.run`` are refused with a word.

    Raises:
        FileNotFoundError, NotADirectoryError: the module or a directory is missing.
        NotAWasiModule: the module is something else; the message says what.
        TimeoutExpired: ``timeout`` was over; it carries what was captured.
        RunError, Trapped: with ``check``, another exit code than 0, or a trap.
        KeyboardInterrupt: Ctrl-C, after the guest was stopped.
        TypeError, ValueError: as ``subprocess.run`` for the same mistakes.
        Exception: what a stream or hook of yours raised, after the guest has ended.
    """
    for name in not_here:
        raise TypeError(f"run() has no {name}=: {_NOT_HERE.get(name, 'see its documentation')}")
    words = _list(args)
    if not words:
        raise ValueError("args is empty: it is [module, *arguments]")
    module, *argv = words
    sandbox = Sandbox(
        module, dirs=dirs, env=env, limits=limits, rights=rights, sockets=sockets, clock=clock,
        seed=seed,
    )  # fmt: skip
    return sandbox.run(
        argv,
        input=input,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        capture_output=capture_output,
        text=text,
        encoding=encoding,
        errors=errors,
        timeout=timeout,
        check=check,
        argv0=argv0,
        invoke=invoke,
        tty=tty,
        trace=trace,
        layers=layers,
    )


def _list(words: Iterable[Any]) -> list[Any]:
    if isinstance(words, str | bytes | os.PathLike):
        raise TypeError("args is a list, [module, *arguments]; there is no shell to split a text")
    return list(words)


def _rebuild(options: dict[str, Any]) -> Sandbox:
    return Sandbox(**options)
