"""The standard streams of one run, with the keywords and the mistakes of ``subprocess.run``."""

from __future__ import annotations

import subprocess
from codecs import getincrementaldecoder, lookup, lookup_error

from wasi_host.descriptors.stream import CapturedOutput, StreamDescriptor, standard_stream
from wasi_host.world.stdio import StreamSource, open_stream
from wasi_host.world.streams import Capture, WorldStream
from wasi_spec.tuples import NamedTuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from wasi_host.native.library import Library
    from wasi_host.world.scheduler import Scheduler


class Spec(NamedTuple):
    """What was asked for: a source for each stream, and how captured text is decoded.

    ``tty``: whether the guest is told that its standard streams are terminals; None: as they are.
    """

    stdin: StreamSource
    stdout: StreamSource
    stderr: StreamSource
    encoding: str | None
    errors: str | None
    tty: bool | None = None


def specify(
    *,
    input: str | bytes | None,
    stdin: StreamSource,
    stdout: StreamSource,
    stderr: StreamSource,
    capture_output: bool,
    text: bool | None,
    encoding: str | None,
    errors: str | None,
    tty: bool | None = None,
) -> Spec:
    """Return the streams that the keywords of ``subprocess.run`` mean.

    Text mode is on where ``text``, ``encoding`` or ``errors`` is given; the encoding is UTF-8
    by default, which is what WASI programs write.

    Raises:
        ValueError: ``input`` with ``stdin``; ``capture_output`` with ``stdout`` or ``stderr``.
        TypeError: ``input`` is bytes in text mode, str without it, or something else.
        LookupError: ``encoding`` or ``errors`` is unknown.
    """
    if input is not None:
        if stdin is not None:
            raise ValueError("stdin and input arguments may not both be used.")
        if not isinstance(input, str | bytes | bytearray | memoryview):
            raise TypeError(f"input must be bytes, or str with text=True, not {input!r}")
        stdin = input
    if capture_output:
        if stdout is not None or stderr is not None:
            raise ValueError("stdout and stderr arguments may not be used with capture_output.")
        stdout = stderr = subprocess.PIPE
    text_mode = bool(text or encoding or errors)
    if isinstance(input, str) and not text_mode:
        raise TypeError("input is str: give text=True, or bytes")
    if isinstance(input, bytes | bytearray | memoryview) and text_mode:
        raise TypeError("input is bytes: with text=True (or encoding, errors) give str")
    if text_mode:
        # Told now, as subprocess does, and not when there is something that cannot be decoded.
        lookup(encoding or "utf-8")
        lookup_error(errors or "strict")
    return Spec(
        stdin,
        stdout,
        stderr,
        (encoding or "utf-8") if text_mode else None,
        errors,
        tty,
    )


class Streams:
    """The three streams of one run.

    Attributes:
        failures: what a user's own stream object raised; the guest saw EIO.

    Args:
        spec: what was asked for.
        scheduler: where they wait.
        limit: bytes kept of each that is captured; None: all.
        native: the native part, where it serves the guest.
    """

    __slots__ = ("_spec", "_streams", "failures")

    def __init__(
        self,
        spec: Spec,
        scheduler: Scheduler,
        limit: int | None = None,
        native: Library | None = None,
    ) -> None:
        self.failures: list[Exception] = []
        self._spec = spec
        self._streams: list[WorldStream] = []
        options: dict[str, Any] = {
            "scheduler": scheduler,
            "failures": self.failures,
            "limit": limit,
            "native": native,
        }
        if spec.encoding is not None:
            options.update(encoding=spec.encoding, errors=spec.errors)
        try:
            for number, source in enumerate(spec[:3]):
                stdout = self._streams[1] if number == 2 else None
                self._streams.append(open_stream(source, number, stdout=stdout, **options))
        except BaseException:
            for stream in self._streams:
                stream.close()
            raise

    @property
    def nodes(self) -> list[WorldStream]:
        """The streams themselves, in the order of their numbers."""
        return self._streams

    def descriptors(self, rights: int) -> list[StreamDescriptor]:
        """Return the descriptors 0, 1 and 2."""
        made = [
            CapturedOutput(stream, rights)
            if isinstance(stream, Capture)
            else standard_stream(stream, number, rights)
            for number, stream in enumerate(self._streams)
        ]
        if self._spec.tty is not None:
            for descriptor in made:
                descriptor.claim_terminal(self._spec.tty)
        return made

    def captured(self, number: int) -> bytes | str | None:
        """Return what stream 1 or 2 captured, as bytes or text; None where nothing was asked.

        With ``stderr=STDOUT`` all is in stream 1, as with ``subprocess``.
        """
        stream = self._streams[number]
        if not isinstance(stream, Capture) or (number == 2 and stream is self._streams[1]):
            return None
        data = stream.getvalue()
        if self._spec.encoding is None:
            return data
        errors = self._spec.errors or "strict"
        if stream.truncated:
            # Cut within a character: that one is left out.
            decoded = getincrementaldecoder(self._spec.encoding)(errors).decode(data)
        else:
            decoded = data.decode(self._spec.encoding, errors)
        return decoded.replace("\r\n", "\n").replace("\r", "\n")

    @property
    def truncated(self) -> frozenset[str]:
        """The captured streams that were cut."""
        return frozenset(
            name
            for number, name in ((1, "stdout"), (2, "stderr"))
            if isinstance(stream := self._streams[number], Capture)
            and stream.truncated
            and not (number == 2 and stream is self._streams[1])
        )

    def close(self) -> None:
        """Flush and close what the guest has not closed."""
        for stream in self._streams:
            stream.close()
