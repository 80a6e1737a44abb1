"""Spoils calls now and then: failures, short reads and writes, delays; the same with each seed.

All draws come from one generator, in the order of the calls: the same program with the same
input meets the same faults. What a fault does to the world is what the real one would do: a
failing read, write or open does nothing, a failing close closes.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from wasi_host.errors import WasiError, wasi_error
from wasi_host.layers.layer import Call, OpenLayer, PerRun
from wasi_spec.errno import Errno
from wasi_spec.functions import FUNCTIONS, Function
from wasi_spec.numbers import Clockid
from wasi_spec.records import SubscriptionClock
from wasi_spec.types import CIOVECS, IOVECS

_NAMES: Final = frozenset(function.name for function in FUNCTIONS)

#: The failures of each function that a sound program must be ready for. A program cannot do
#: without its arguments, clocks and preopens: those never fail unless asked for.
FAILURES: Final[Mapping[str, tuple[Errno, ...]]] = {
    "fd_close": (Errno.IO,),
    "fd_datasync": (Errno.IO, Errno.NOSPC),
    "fd_filestat_get": (Errno.IO,),
    "fd_filestat_set_size": (Errno.IO, Errno.NOSPC),
    "fd_pread": (Errno.IO,),
    "fd_pwrite": (Errno.IO, Errno.NOSPC, Errno.DQUOT),
    "fd_read": (Errno.IO,),
    "fd_readdir": (Errno.IO,),
    "fd_seek": (Errno.IO,),
    "fd_sync": (Errno.IO, Errno.NOSPC),
    "fd_write": (Errno.IO, Errno.NOSPC, Errno.DQUOT),
    "path_create_directory": (Errno.IO, Errno.NOSPC, Errno.ACCES),
    "path_filestat_get": (Errno.IO, Errno.ACCES),
    "path_link": (Errno.IO, Errno.NOSPC, Errno.ACCES),
    "path_open": (Errno.IO, Errno.ACCES, Errno.MFILE, Errno.NOSPC),
    "path_readlink": (Errno.IO, Errno.ACCES),
    "path_remove_directory": (Errno.IO, Errno.ACCES, Errno.BUSY),
    "path_rename": (Errno.IO, Errno.NOSPC, Errno.ACCES),
    "path_symlink": (Errno.IO, Errno.NOSPC, Errno.ACCES),
    "path_unlink_file": (Errno.IO, Errno.ACCES, Errno.BUSY),
    "sock_accept": (Errno.CONNABORTED, Errno.MFILE),
    "sock_recv": (Errno.CONNRESET,),
    "sock_send": (Errno.CONNRESET, Errno.PIPE),
}
_SECOND: Final = 1_000_000_000


class faults(PerRun):
    """Inject faults into calls, by seed.

    Args:
        seed: the same seed and the same calls give the same faults.
        errors: the probability (0 to 1) that a call fails.
        short: the probability that a read or write of several bytes is cut short.
        delays: the probability that a call is delayed.
        longest_delay: seconds a delay takes at most; it passes on the guest's own clocks.
        functions: the functions that are spoiled; None: those in ``errnos``.
        errnos: function -> the errnos it may fail with; by default what happens to real
            programs: a full disk, a read error, a name that may not be opened.

    Raises:
        TypeError, ValueError: no probability, no such function, no such errno.
    """

    __slots__ = ("_options",)

    def __init__(
        self,
        seed: int,
        *,
        errors: float = 0.02,
        short: float = 0.1,
        delays: float = 0.0,
        longest_delay: float = 0.01,
        functions: Collection[str] | None = None,
        errnos: Mapping[str, Sequence[Errno]] = FAILURES,
    ) -> None:
        if not isinstance(seed, int):
            raise TypeError(f"a seed is an integer, not {seed!r}")
        for name, value in (("errors", errors), ("short", short), ("delays", delays)):
            if not 0 <= value <= 1:
                raise ValueError(f"{name} is a probability from 0 to 1, not {value!r}")
        if not 0 <= longest_delay <= 3600:
            raise ValueError(f"longest_delay is at most 3600 seconds, not {longest_delay!r}")
        chosen = frozenset(errnos if functions is None else functions)
        if isinstance(functions, str) or not chosen <= _NAMES:
            raise ValueError(f"not functions of WASI: {sorted(chosen - _NAMES) or functions}")
        codes = {name: tuple(map(int, errnos.get(name, (Errno.IO,)))) for name in sorted(chosen)}
        for code in set().union(*codes.values()):
            wasi_error(code)
        self._options = (seed, errors, short, delays, longest_delay, codes)

    def open(self) -> "OpenFaults":
        """Return the layer for one run."""
        return OpenFaults(*self._options)


class OpenFaults(OpenLayer):
    """The faults of one run."""

    def __init__(
        self,
        seed: int,
        errors: float,
        short: float,
        delays: float,
        longest_delay: float,
        errnos: Mapping[str, Sequence[int]],
    ) -> None:
        super().__init__()
        from random import Random  # 5 ms that runs without faults need not pay

        # Only ``random()`` is used: its sequence is promised to stay the same for a seed.
        self._draw = Random(seed).random
        self._errors = errors
        self._short = short
        self._delays = delays
        self._longest_ns = int(longest_delay * _SECOND)
        self._errnos = errnos
        self._poll: Call | None = None

    def __call__(self, function: Function, call: Call) -> Call:
        """Return a call that goes wrong now and then."""
        if function.name == "poll_oneoff":
            self._poll = call
        codes = self._errnos.get(function.name)
        if codes is None or function.noreturn:
            return call
        spoiled = self._spoiled(function.name, call, [wasi_error(code) for code in codes])
        kinds = [param.type for param in function.params]
        if IOVECS in kinds or CIOVECS in kinds:
            return self._shortened(spoiled, cut=_cut_data if CIOVECS in kinds else _cut_size)
        return spoiled

    def _spoiled(self, name: str, call: Call, failures: Sequence[type[WasiError]]) -> Call:
        draw = self._draw

        def spoiled(*arguments: object) -> object:
            if self._delays and draw() < self._delays:
                self._delay(int(draw() * self._longest_ns))
            if failures and draw() < self._errors:
                failure = failures[int(draw() * len(failures))]
                if name == "fd_close":
                    call(*arguments)
                raise failure
            return call(*arguments)

        return spoiled

    def _shortened(self, call: Call, cut: Call) -> Call:
        draw = self._draw

        def shortened(fd: int, amount: int | bytes, *rest: object) -> object:
            if draw() < self._short:
                amount = cut(amount, draw())
            return call(fd, amount, *rest)

        return shortened

    def _delay(self, ns: int) -> None:
        """Wait as the guest itself would: on its clocks, and until the run is stopped."""
        if self._poll is not None and ns:
            self._poll([SubscriptionClock(0, Clockid.MONOTONIC, ns, 0, 0)])


def _cut_size(size: int, share: float) -> int:
    return size if size < 2 else 1 + int(share * (size - 1))


def _cut_data(data: bytes, share: float) -> bytes:
    return data[: _cut_size(len(data), share)]
