"""Shows what a guest asks of the system, as strace does.

The trace knows what a descriptor refers to from the calls that pass through it: the names of
preopens, what is opened below them, what is closed and renumbered. It looks into no table.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from time import perf_counter_ns
from typing import Any, Final

from wasi_host.errors import ProcExit, Stopped, WasiError, errno_of, foreign
from wasi_host.layers.layer import Call
from wasi_host.layers.trace_format import Ended, Entry, as_object, cut, line, listing
from wasi_host.layers.trace_hints import REFUSALS, Hints
from wasi_spec.errno import Errno
from wasi_spec.functions import FUNCTIONS, Function
from wasi_spec.types import FD
from wasi_spec.values import host_params, host_results

#: Words for ``only`` beside groups and functions of the specification.
_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "fs": ("fd", "path"),
    "clock": ("clock_res_get", "clock_time_get", "poll_oneoff"),
    "random": ("random_get",),
}
#: Calls by which descriptors change what they refer to; followed even where not shown.
_FOLLOWED: Final = frozenset(
    ("fd_close", "fd_prestat_dir_name", "fd_renumber", "path_open", "proc_exit", "sock_accept")
)
#: What the calls kept take at most, roughly: the head of the run is kept.
KEPT_BYTES: Final = 64 << 20
_ENTRY_BYTES: Final = 700
_LONGEST_PATH: Final = 1024


def selected(only: Iterable[str]) -> frozenset[str]:
    """Return the functions that words name.

    Args:
        only: functions (``fd_read``), groups (``fd path poll process sock``), or ``fs``,
            ``clock``, ``random``; none: all.

    Raises:
        ValueError: an unknown word.
    """
    groups: dict[str, set[str]] = {}
    for function in FUNCTIONS:
        groups.setdefault(function.group, set()).add(function.name)
        groups[function.name] = {function.name}
    for word, parts in _WORDS.items():
        groups[word] = set().union(*(groups[part] for part in parts))
    words = list(only)
    for word in words:
        if word not in groups:
            known = ", ".join(sorted({*_WORDS, *(function.group for function in FUNCTIONS)}))
            raise ValueError(f"no calls are named {word!r}; there are {known}, or single functions")
    return frozenset().union(*(groups[word] for word in words)) if words else frozenset(groups)


class Trace:
    """A layer for one run, and what it has seen.

    Args:
        only: which calls are shown, see ``selected``; all by default. Hints and paths are right
            whatever is shown.
        write: called with each line, with its newline, as soon as the call has ended.
        clock: nanoseconds, for durations; the run's own where that is deterministic.
        keep: whether calls are kept for ``str()`` and ``to_json()``.

    Attributes:
        dropped: how many calls came after what is kept was full (64 MiB); they are in
            ``summary``, not in ``str()`` and ``to_json()``.
        failures: what ``write`` raised, once; it was not called again.
    """

    def __init__(
        self,
        only: Collection[str] = (),
        write: Callable[[str], object] | None = None,
        clock: Callable[[], int] | None = None,
        keep: bool = True,
    ) -> None:
        if isinstance(only, str):
            raise TypeError("only is a list of words, such as ['fs', 'clock']")
        self._only = selected(only)
        self._write = write
        self.clock = clock
        #: Whether refusals are explained: where others deny calls too, reasons cannot be known.
        self.hinting = True
        self.dropped = 0
        self.failures: list[Exception] = []
        self._entries: list[Entry] = []
        self._number = 0
        self._room = KEPT_BYTES if keep else 0
        self._paths: dict[int, str] = {0: "stdin", 1: "stdout", 2: "stderr"}
        self._hints = Hints()
        #: By function: calls, failed ones, nanoseconds.
        self._counts: dict[str, list[int]] = {}
        self._functions: set[str] = set()

    def __call__(self, function: Function, call: Call) -> Call:
        """Return a call that is traced.

        Raises:
            RuntimeError: this trace was used for another run.
        """
        if function.name in self._functions:
            raise RuntimeError("a Trace is for one run: make another one")
        self._functions.add(function.name)
        shown = function.name in self._only
        if not shown and function.name not in _FOLLOWED and function.group != "path":
            return call
        clock = self.clock or perf_counter_ns
        fds = [(n, p.name) for n, p in enumerate(host_params(function)) if p.type is FD]
        note = self._note

        def traced(*arguments: Any) -> object:  # noqa: ANN401  any values
            paths = self._paths
            named = {name: paths[fd] for n, name in fds if (fd := arguments[n]) in paths}
            began = clock()
            outcome: object = None
            try:
                outcome = call(*arguments)
            except WasiError as error:
                outcome = Errno(error.errno)
                raise
            except OSError as error:
                outcome = Errno(errno_of(error))
                raise
            except BaseException as error:
                outcome = Ended(_how(error))
                if type(error) is ProcExit:
                    self._hints.exited(error.code)
                raise
            finally:
                note(function, shown, arguments, named, outcome, clock() - began)
            return outcome

        return traced

    def _note(
        self,
        function: Function,
        shown: bool,
        arguments: tuple[object, ...],
        named: dict[str, str],
        outcome: object,
        ns: int,
    ) -> None:
        if function.group == "path":
            self._hints.asked_for_a_path()
        failed = type(outcome) is Errno
        if failed and outcome in REFUSALS and self.hinting:
            self._hints.refused(function, arguments, named, Errno(outcome))  # type: ignore[arg-type]
        elif function.name in _FOLLOWED and not failed and type(outcome) is not Ended:
            self._follow(function, arguments, named, outcome)
        if not shown:
            return
        self._number += 1
        counts = self._counts.get(function.name)
        if counts is None:
            counts = self._counts[function.name] = [0, 0, 0]
        counts[0] += 1
        counts[1] += failed
        counts[2] += ns
        if self._room <= 0 and self._write is None:
            self.dropped += 1
            return
        kept = listing(outcome) if function.name == "fd_readdir" and not failed else cut(outcome)  # type: ignore[arg-type]
        entry = Entry(self._number, function, tuple(map(cut, arguments)), named, kept, ns)
        if self._write is not None:
            self._say(self._write, line(entry) + "\n")
        if self._room > 0:
            self._room -= _ENTRY_BYTES + sum(map(len, named.values())) + _weight(arguments)
            self._entries.append(entry)
        else:
            self.dropped += 1

    def _say(self, write: Callable[[str], object], text: str) -> None:
        """Write a line; a writer that fails is left alone: a guest must not see it."""
        try:
            with foreign(self.failures.append):
                write(text)
        except (OSError, WasiError) as error:
            self._write = None
            if not self.failures:
                self.failures.append(error)

    def _follow(
        self,
        function: Function,
        arguments: tuple[object, ...],
        named: dict[str, str],
        outcome: object,
    ) -> None:
        """Learn what a descriptor refers to from now on; ``named`` gets what was opened."""
        paths, name = self._paths, function.name
        first = arguments[0] if arguments else None
        assert isinstance(first, int)
        if name == "fd_prestat_dir_name":
            assert isinstance(outcome, bytes)
            paths[first] = outcome.decode("utf-8", "replace")
            self._hints.given(paths[first])
        elif name == "fd_close":
            paths.pop(first, None)
        elif name == "fd_renumber":
            moved, to = paths.pop(first, None), arguments[1]
            assert isinstance(to, int)
            paths.pop(to, None)
            if moved is not None:
                paths[to] = moved
        elif isinstance(outcome, int):
            opened = "connection"
            if name == "path_open":
                opened = _join(named.get("fd", "?"), str(arguments[2]))
            paths[outcome] = named[host_results(function)[0].name] = opened

    def __getstate__(self) -> dict[str, object]:
        """Return what travels with a result: what was seen, not how."""
        return {**self.__dict__, "_write": None, "clock": None}

    @property
    def calls(self) -> Mapping[str, int]:
        """How often each function that is shown was called."""
        return {name: counts[0] for name, counts in self._counts.items()}

    @property
    def hints(self) -> list[str]:
        """What could be done about refusals, one line each."""
        return self._hints.lines()

    def __str__(self) -> str:
        """Return a line for each call, and one for each hint."""
        lines = [line(entry) for entry in self._entries]
        if self.dropped:
            lines.append(f"... {self.dropped} more calls")
        return "".join(f"{text}\n" for text in [*lines, *self.hint_lines()])

    def hint_lines(self) -> list[str]:
        """Return the hints as they stand in the text."""
        return [f"hint: {hint}" for hint in self.hints]

    def to_json(self) -> str:
        """Return a line of JSON for each call."""
        from json import dumps  # 2 ms that most traces need not pay

        return "".join(dumps(as_object(entry)) + "\n" for entry in self._entries)

    def summary(self) -> str:
        """Return a table of all calls by time, as ``strace -c`` does."""
        rows = sorted(self._counts.items(), key=lambda row: (-row[1][2], row[0]))
        total = [sum(counts[n] for _, counts in rows) for n in range(3)]
        text = [_row("% time", "seconds", "usecs/call", "calls", "errors", "call"), _RULE]
        for name, (calls, errors, ns) in rows:
            share = 100 * ns / total[2] if total[2] else 0.0
            text.append(_row(f"{share:.2f}", f"{ns / 1e9:.6f}", f"{ns / 1e3 / calls:.1f}",
                             str(calls), str(errors or ""), name))  # fmt: skip
        each = f"{total[2] / 1e3 / total[0]:.1f}" if total[0] else ""
        text += [_RULE, _row("100.00" if total[2] else "", f"{total[2] / 1e9:.6f}", each,
                             str(total[0]), str(total[1] or ""), "total")]  # fmt: skip
        return "\n".join(text) + "\n"


def _how(error: BaseException) -> str:
    if isinstance(error, ProcExit):
        return f"exited with {error.code}"
    if isinstance(error, Stopped):
        return f"stopped: {error.reason}"
    return f"ended by {type(error).__name__}: {error}"


def _join(directory: str, path: str) -> str:
    """Return what an opened path is called, never longer than is good."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    base = "" if directory == "." else directory.rstrip("/") + "/"
    joined = base + "/".join(parts) if parts else directory
    return joined if len(joined) <= _LONGEST_PATH else "..." + joined[3 - _LONGEST_PATH :]


def _weight(arguments: Iterable[object]) -> int:
    return sum(len(value) for value in arguments if type(value) is str)


_WIDTHS: Final = (6, 11, 11, 9, 9)
_RULE: Final = " ".join("-" * width for width in (*_WIDTHS, 24))


def _row(*cells: str) -> str:
    numbers = (cell.rjust(width) for cell, width in zip(cells[:-1], _WIDTHS, strict=True))
    return " ".join((*numbers, cells[-1]))
