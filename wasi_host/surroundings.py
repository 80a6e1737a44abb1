"""All that a guest has around it: its streams, directories and sockets, and the calls on them.

``Setting`` is what an embedder asked for, checked once and shared by many guests;
``Surroundings`` is what one guest gets of it. Whoever runs a guest (``guest``, ``pool``) and
whoever only provides its imports (``wasi``) begin here.
"""

from __future__ import annotations

from subprocess import PIPE

from wasi_host.descriptors.stream import StreamDescriptor
from wasi_host.fs.budget import UNLIMITED, Budget
from wasi_host.limits import Limits
from wasi_host.preview1 import Preview1, encode_args, encode_environ
from wasi_host.rights import granted
from wasi_host.runtimes.wasmtime_choice import native_part
from wasi_host.sockets import checked_sockets
from wasi_host.streams import Spec, Streams
from wasi_host.world.clocks import Clock, Clocks
from wasi_host.world.randomness import Randomness, SeededRandomness
from wasi_host.world.scheduler import Scheduler
from wasi_host.world.streams import BytesInput, Capture
from wasi_spec.tuples import NamedTuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Final

    from wasi_host.fs.node import FileSystem
    from wasi_host.layers.layer import Layer, PerRun
    from wasi_host.layers.trace import Trace
    from wasi_host.native.library import Library
    from wasi_host.observers import Observers
    from wasi_host.sources import Preopens, Source
    from wasi_host.world.sockets import SocketSource

__all__ = ["DEFAULT_LIMITS", "Clock", "Renewable", "Setting", "Surroundings", "checked_setting"]

DEFAULT_LIMITS: Final = Limits()

_NOTHING: Final[frozenset[str]] = frozenset()
# Neither has state of a run.
_CLOCKS: Final = Clocks()
_RANDOMNESS: Final = Randomness()


class Setting(NamedTuple):
    """What guests may have, checked and prepared: see ``Sandbox`` for each."""

    preopens: Preopens | None = None
    environ: list[bytes] = []  # noqa: RUF012  never changed
    limits: Limits = DEFAULT_LIMITS
    rights: int = 0
    strict: bool = False
    sockets: tuple[SocketSource, ...] = ()
    clock: Clock | None = None
    seed: int | None = None


def checked_setting(
    *,
    dirs: Mapping[str, Source] | None,
    env: Mapping[str, str] | None,
    limits: Limits,
    rights: str | int,
    sockets: Iterable[SocketSource],
    clock: Clock | None,
    seed: int | None,
) -> Setting:
    """Return the setting that the keywords of ``Sandbox`` and ``Wasi`` mean.

    Raises:
        TypeError, ValueError: one is of the wrong kind, or out of range.
        FileNotFoundError, NotADirectoryError: a directory is missing.
    """
    given = checked_sockets(sockets)
    if not isinstance(limits, Limits):
        raise TypeError(f"limits must be wasi_host.Limits, not {type(limits).__name__}")
    if clock is not None and not isinstance(clock, Clock):
        raise TypeError(f"clock must be a wasi_host.Clock, not {clock!r}")
    if seed is not None and not isinstance(seed, int):
        raise TypeError(f"seed must be an integer, not {seed!r}")
    mask, strict = granted(rights)
    environ = encode_environ(env) if env else []
    preopens = None
    if dirs:
        # Who has no directories loads no filesystems: a third of what a short run would load.
        from wasi_host.sources import Preopens

        preopens = Preopens(dirs)
    return Setting(preopens, environ, limits, mask, strict, given, clock, seed)


class Surroundings:
    """What one guest has around it, open until ``close``.

    Args:
        setting: what is shared.
        args: the whole command line, the program's name first.
        spec: the standard streams.
        env: the environment; None: the setting's.
        sockets: the sockets; None: the setting's.
        trace: whether the calls are traced, or the trace to be filled.
        layers: wrappers around the calls, outermost first.
        native: the native part, where an engine calls it for this guest.

    Attributes:
        host: the calls, as the functions of the specification.
        served: what the guest's calls go to: ``host``, or layers around it.
        streams: the standard streams.
        watched: what tells of the changes in each directory that can.
        directories: guest path and filesystem of each directory.
        observers: what watches the guest, or None.
        finished: to be set where the guest has come to an end of its own, before ``close``.

    Raises:
        ValueError: an argument or variable holds a NUL or a lone surrogate; a socket is closed
            by now, or no longer connected; too few descriptors are allowed for all that.
        OSError: a stream, directory or file of a layer cannot be opened. All that was opened is
            closed.
    """

    __slots__ = (
        "_budget", "directories", "finished", "host", "observers", "served", "streams", "watched",
    )  # fmt: skip

    def __init__(
        self,
        setting: Setting,
        args: Iterable[str | bytes],
        spec: Spec,
        env: Mapping[str, str] | None = None,
        sockets: tuple[SocketSource, ...] | None = None,
        trace: bool | Trace = False,
        layers: Iterable[Layer | PerRun] = (),
        native: Library | None = None,
    ) -> None:
        encoded = encode_args(args)
        observed = bool(trace or layers) or setting.limits.calls is not None
        if observed:
            native = None  # layers see every call
        environ = setting.environ if env is None else encode_environ(env)
        clocks, seed = _CLOCKS if setting.clock is None else setting.clock.open(), setting.seed
        scheduler = Scheduler(clocks)
        limit = setting.limits.open_files
        self._budget = UNLIMITED
        randomness = _RANDOMNESS if seed is None else SeededRandomness(seed)
        self.watched: list[tuple[bytes, Callable[[], object]]] = []
        self.streams = Streams(spec, scheduler, setting.limits.output, native)
        try:
            self.directories: list[tuple[bytes, FileSystem]] = []
            if setting.preopens is not None:
                self._budget = Budget(setting.limits.fs_bytes, setting.limits.inodes)
                self.directories = setting.preopens.open(
                    clocks.realtime,
                    self._budget,
                    self.streams.nodes,
                    randomness.read,
                    self.watched,
                )
            self.host = Preview1.for_run(
                self.streams.descriptors(setting.rights),
                self.directories,
                args=encoded,
                environ=environ,
                clocks=clocks,
                scheduler=scheduler,
                randomness=randomness,
                rights=setting.rights,
                strict=setting.strict,
                open_files=limit,
                sockets=setting.sockets if sockets is None else sockets,
                native=native,
            )
            if len(self.host.fds) > limit:
                self.host.close()
                raise ValueError(
                    f"Limits.open_files is {limit}: too few for the standard streams and the "
                    "directories"
                )
        except BaseException:
            self.streams.close()
            raise
        self.finished = False
        self.observers: Observers | None = None
        self.served: object = self.host
        if observed:
            try:
                self._observe(setting, trace, layers)
            except BaseException:
                self.close()
                raise

    def _observe(
        self, setting: Setting, trace: bool | Trace, layers: Iterable[Layer | PerRun]
    ) -> None:
        # Few guests are watched, and loading what watches takes longer than a short run.
        from wasi_host.observers import Observers

        clock = None if setting.clock is None else self.host.clocks.monotonic
        self.observers = Observers(self.host, setting.limits.calls, trace, layers, clock)
        self.served = self.observers.host

    def take_failure(self) -> Exception | None:
        """Return what a stream or hook of the embedder's raised, each once; None: nothing more.

        The guest saw an errno at most.
        """
        if self.streams.failures:
            return self.streams.failures.pop(0)
        return None if self.observers is None else self.observers.take_failure()

    def finish(self) -> None:
        """Note that the guest has come to an end of its own; layers look whether that was right."""
        self.finished = True
        if self.observers is not None:
            self.observers.close(finished=True)

    @property
    def limits_hit(self) -> frozenset[str]:
        """The limits that answered the guest with an errno, or cut a write."""
        hit = self._budget.hit
        return frozenset((*hit, "open_files") if self.host.fds.limit_hit else hit)

    def stop(self, reason: str) -> None:
        """End every wait of the guest, under way or to come. From any thread."""
        self.host.scheduler.stop(reason)

    def close(self) -> None:
        """Close all descriptors and streams.

        Raises:
            Exception: what a stream of the embedder's raised as it was flushed, or before.
            OSError: the host said so.
        """
        try:
            try:
                try:
                    if self.observers is not None:
                        self.observers.close(self.finished)
                finally:
                    self.host.close()
            finally:
                try:
                    self.streams.close()
                finally:
                    self.host.scheduler.close()
        except OSError as error:
            # The EIO a guest is told of says less than what it was made of.
            if error.__cause__ in self.streams.failures:
                raise self.streams.failures[0] from None
            raise


class Renewable:
    """The surroundings of guests without directories, made ready for one after the other.

    Their streams are captured and their input is there from the start. Making all of it anew
    takes longer than a short guest runs; what a guest can change is put back instead, and where
    it closed or renumbered a descriptor, all is made anew.
    """

    __slots__ = ("_around", "_err", "_input", "_out", "_runtime", "_saved", "_setting", "host")

    def __init__(self, setting: Setting, runtime: str) -> None:
        self._setting = setting
        self._runtime = runtime
        self._make()

    @staticmethod
    def serves(setting: Setting) -> bool:
        """Tell whether guests with a setting have nothing but their streams, and are unwatched."""
        plain = setting.clock is None and setting.seed is None and setting.limits.calls is None
        return plain and setting.preopens is None and not setting.sockets

    def _make(self) -> None:
        spec = Spec(b"", PIPE, PIPE, None, None)
        self._around = Surroundings(self._setting, (), spec, native=native_part(self._runtime))
        self.host = self._around.host
        descriptors = list(self.host.fds.values())
        self._saved = self.host.fds.remember(3)
        nodes = [item.node for item in descriptors if isinstance(item, StreamDescriptor)]
        data, out, err = nodes
        assert isinstance(data, BytesInput)
        assert isinstance(out, Capture)
        assert isinstance(err, Capture)
        self._input, self._out, self._err = data, out, err

    def renew(self, args: list[bytes], environ: list[bytes], data: bytes) -> Preview1:
        """Make ready for the next guest, and return its calls.

        Args:
            args: its command line, encoded.
            environ: its environment, encoded.
            data: its input.
        """
        host = self.host
        if not host.fds.untouched(3) or host.scheduler.stopped is not None:
            self._around.close()
            self._make()
            host = self.host
        else:
            host.fds.restore(self._saved, 3)
            self._out.renew()
            self._err.renew()
        self._input.renew(data)
        host.args = args
        host.environ = environ
        return host

    def captured(self) -> tuple[bytes, bytes]:
        """Return what the guest wrote to its standard output and error."""
        return self._out.result(), self._err.result()

    @property
    def limits_hit(self) -> frozenset[str]:
        """The limits that answered the guest with an errno."""
        return self._around.limits_hit

    @property
    def truncated(self) -> frozenset[str]:
        """The streams that were cut."""
        if self._out.truncated or self._err.truncated:
            return self._around.streams.truncated
        return _NOTHING

    @property
    def limited(self) -> bool:
        """Whether there is anything in ``limits_hit`` or ``truncated``."""
        out, err, fds = self._out, self._err, self.host.fds
        return out.truncated or err.truncated or fds.limit_hit

    def stop(self, reason: str) -> None:
        """End every wait of the guest. From any thread."""
        self._around.stop(reason)

    def close(self) -> None:
        """Close everything."""
        self._around.close()
