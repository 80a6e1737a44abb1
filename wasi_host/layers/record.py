"""Writes every call of a run to a file, from which ``replay`` can run it again."""

import os
from typing import BinaryIO, TypeAlias, Union

from wasi_host.errors import ProcExit, Stopped, WasiError, errno_of
from wasi_host.layers import recording
from wasi_host.layers.layer import Call, OpenLayer, PerRun
from wasi_spec.functions import Function

#: A path, or a file open for bytes.
File: TypeAlias = Union[str, "os.PathLike[str]", BinaryIO]


class record(PerRun):
    """Record all calls of a run.

    Args:
        file: a path, written anew by each run, or a file open for writing bytes, which stays
            open.
        module: the module's SHA-256 (32 bytes), so that a replay can tell another module.

    Each call is written when it has ended, without a buffer: what is in the file when the run is
    killed is readable. A file that cannot be written ends the run with the ``OSError``.
    """

    __slots__ = ("file", "module")

    def __init__(self, file: File, module: bytes | None = None) -> None:
        if module is not None and len(module) != recording.MODULE_BYTES:
            raise ValueError(f"a SHA-256 has {recording.MODULE_BYTES} bytes, not {len(module)}")
        self.file = file
        self.module = module

    def open(self) -> "OpenRecord":
        """Return the layer for one run. OSError: the file cannot be opened or written."""
        return OpenRecord(self.file, self.module)


class NotRecorded(RuntimeError):
    """A call could not be written to the recording; ``__cause__`` says why."""


class OpenRecord(OpenLayer):
    """The recording of one run."""

    def __init__(self, file: File, module: bytes | None) -> None:
        super().__init__()
        self._owned = isinstance(file, str | os.PathLike)
        self._file: BinaryIO | None = (
            open(file, "wb", buffering=0)  # noqa: SIM115  closed by ``close``
            if isinstance(file, str | os.PathLike)
            else file
        )
        try:
            self._write(recording.header(module))
        except BaseException:
            self.close(finished=False)
            raise

    def __call__(self, function: Function, call: Call) -> Call:
        """Return a call that is recorded."""

        def recorded(*arguments: object) -> object:
            encoded = recording.encode_arguments(function, arguments)
            try:
                result = call(*arguments)
            except WasiError as error:
                self._note(function, encoded, recording.FAILED, int(error.errno))
                raise
            except OSError as error:
                self._note(function, encoded, recording.FAILED, errno_of(error))
                raise
            except ProcExit as error:
                self._note(function, encoded, recording.EXITED, error.code)
                raise
            except Stopped as error:
                self._note(function, encoded, recording.STOPPED, error.reason)
                raise
            self._note(function, encoded, recording.RETURNED, result)
            return result

        return recorded

    def _note(self, function: Function, arguments: bytes, ended: int, outcome: object) -> None:
        try:
            self._write(recording.encode_frame(function, arguments, ended, outcome))
        except OSError as error:
            # Not an errno for the guest, which would go on without being recorded.
            raise NotRecorded(f"{function.name} could not be recorded: {error}") from error

    def _write(self, data: bytes) -> None:
        file = self._file
        if file is None:
            return
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]

    def close(self, finished: bool) -> None:
        """Write the end, if the run came to one, and close the file unless it was given open."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            if finished:
                file.write(recording.end())
        except OSError as error:
            self.failures.append(error)
        finally:
            if self._owned:
                file.close()
