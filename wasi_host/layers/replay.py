"""Answers the calls of a run from a recording: no directories, clocks or network are needed.

Each call must be the one that was recorded, with the same arguments; the first that is not ends
the guest with ``Divergence``. Calls do not reach the world, but for one: what the guest writes to
its standard output and error is written there again.
"""

import os
from collections.abc import Sequence
from typing import Any, Final, cast

from wasi_host.errors import ProcExit, Stopped, WasiError, wasi_error
from wasi_host.layers import recording
from wasi_host.layers.layer import Call, OpenLayer, PerRun
from wasi_host.layers.record import File
from wasi_spec.functions import Function
from wasi_spec.records import Event
from wasi_spec.types import CIOVECS, EVENTS, POINTER_STRINGS
from wasi_spec.values import host_params, host_results

_OUTPUTS: Final = {1: 1, 2: 2}
_SHOWN: Final = 200


class Divergence(RuntimeError):
    """A replayed run makes another call than the recorded one, or one more or less.

    Attributes:
        number: the call's, from 1.
        expected: the recorded call, as text; None: the recording had ended.
        found: the guest's call, as text; None: the guest had ended.
    """

    def __init__(self, message: str, number: int, expected: str | None, found: str | None) -> None:
        super().__init__(message)
        self.number = number
        self.expected = expected
        self.found = found

    def __reduce__(self) -> tuple[type["Divergence"], tuple[Any, ...]]:
        return type(self), (self.args[0], self.number, self.expected, self.found)


class CutShort(Divergence):
    """The recording ends before the run did: it was cut short."""


class replay(PerRun):
    """Answer the calls of a run from a recording.

    Args:
        file: the path of a recording made by ``record``, or a file open for reading bytes.
        module: the SHA-256 (32 bytes) of the module to be run; if the recording knows its own
            and it is another, ``open`` raises ValueError.

    A call that was not recorded so raises ``Divergence`` out of the run, with the call's number
    and both calls. Directories, input, clock and seed of the recorded run need not be there.
    """

    __slots__ = ("file", "module")

    def __init__(self, file: File, module: bytes | None = None) -> None:
        self.file = file
        self.module = module

    def open(self) -> "OpenReplay":
        """Return the layer for one run.

        Raises:
            OSError: the file cannot be read.
            ValueError: it is no recording, or one of another module.
        """
        return OpenReplay(self.file, self.module)


class OpenReplay(OpenLayer):
    """The replay of one run."""

    def __init__(self, file: File, module: bytes | None) -> None:
        super().__init__()
        self._owned = isinstance(file, str | os.PathLike)
        self._file = (
            open(file, "rb")  # noqa: SIM115  closed by ``close``
            if isinstance(file, str | os.PathLike)
            else file
        )
        self._number = 0
        self._over = False
        self._diverged = False
        #: The guest's descriptors that are standard output and error, and the host's for each.
        self._outputs = dict(_OUTPUTS)
        self._write: Call | None = None
        try:
            known = recording.read_header(self._file)
            if module is not None and any(known) and known != module:
                raise recording.Broken("a recording of another module")
        except BaseException:
            self.close(finished=False)
            raise
        self._frames = recording.frames(self._file)

    def __call__(self, function: Function, call: Call) -> Call:
        """Return a call that is answered from the recording."""
        if function.name == "fd_write":
            self._write = call
        kinds = [result.type for result in host_results(function)]

        def replayed(*arguments: object) -> object:
            frame = self._expect(function, arguments)
            outcome: Any = frame.outcome
            if frame.ended == recording.FAILED:
                raise wasi_error(outcome)
            if frame.ended == recording.EXITED:
                raise ProcExit(outcome)
            if frame.ended == recording.STOPPED:
                raise Stopped(outcome)
            self._follow(function.name, arguments, outcome)
            if kinds == [EVENTS]:
                return [Event(*event) for event in outcome]
            return list(outcome) if kinds == [POINTER_STRINGS] else outcome

        return replayed

    def _expect(self, function: Function, arguments: tuple[object, ...]) -> recording.Frame:
        """Return the next frame, which must be of this call."""
        self._number += 1
        frame = self._next()
        if (
            frame is not None
            and frame.function is function
            and frame.arguments == recording.encode_arguments(function, arguments)
        ):
            return frame
        found = _shown(function, arguments)
        if frame is not None:
            expected = _shown(frame.function, recording.decode_arguments(frame.arguments))
            raise self._diverge(
                f"call {self._number}: {expected} was recorded, this run calls {found}",
                expected,
                found,
            )
        if self._over:
            raise self._diverge(
                f"call {self._number}: the recorded run had ended, this one calls {found}",
                None,
                found,
            )
        self._diverged = True
        raise CutShort(
            f"the recording was cut short: it ends after call {self._number - 1}; "
            f"the run goes on with {found}",
            self._number,
            None,
            found,
        )

    def _next(self) -> recording.Frame | None:
        if self._over:
            return None
        for frame in self._frames:
            self._over = frame is None
            return frame
        return None

    def _diverge(self, message: str, expected: str | None, found: str | None) -> Divergence:
        self._diverged = True
        return Divergence(message, self._number, expected, found)

    def _follow(self, name: str, arguments: tuple[Any, ...], outcome: object) -> None:
        """Write again what goes to standard output and error, wherever these are by now."""
        outputs = self._outputs
        if name == "fd_close":
            outputs.pop(arguments[0], None)
        elif name == "fd_renumber":
            moved = outputs.pop(arguments[0], None)
            outputs.pop(arguments[1], None)
            if moved is not None:
                outputs[arguments[1]] = moved
        elif name == "fd_write" and arguments[0] in outputs and self._write is not None:
            data = arguments[1][: cast("int", outcome)]
            while data:
                try:
                    done = self._write(outputs[arguments[0]], data)
                except (WasiError, OSError):
                    return  # a full or closed output of today; the recorded answer stands
                if not done:
                    return
                data = data[done:]

    def close(self, finished: bool) -> None:
        """Close the file; note a recording that goes on where the guest has ended."""
        if finished and not self._diverged:
            self._number += 1
            frame = self._next()
            if frame is not None:
                expected = _shown(frame.function, recording.decode_arguments(frame.arguments))
                self.failures.append(
                    self._diverge(
                        f"call {self._number}: {expected} was recorded, this run has ended",
                        expected,
                        None,
                    )
                )
        self._diverged = True
        if self._owned:
            self._file.close()


def _shown(function: Function, arguments: Sequence[object]) -> str:
    """Return a call as text for people, short."""
    params = host_params(function)
    parts = []
    for param, value in zip(params, arguments, strict=True):
        if isinstance(value, bytes):
            value = value[:_SHOWN]
        elif param.type is CIOVECS and isinstance(value, tuple):
            value = f"{value[0]} bytes"
        text = repr(value)
        parts.append(f"{param.name}={text if len(text) <= _SHOWN else text[:_SHOWN] + '...'}")
    return f"{function.name}({', '.join(parts)})"
