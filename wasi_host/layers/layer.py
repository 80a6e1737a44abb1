"""What a layer is, and the host object that layers make."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias

from wasi_spec.functions import FUNCTIONS, Function
from wasi_spec.types import CIOVECS
from wasi_spec.values import host_params

#: Serves one function: decoded values in, values out; raises WasiError or OSError.
Call: TypeAlias = Callable[..., Any]
#: Returns what to call instead of a call; the call itself to stay out of the way.
Layer: TypeAlias = Callable[[Function, Call], Call]

#: Reads that fill buffers, and the reads they stand for.
_FILLING: Final = {"fd_readinto": "fd_read", "fd_preadinto": "fd_pread"}


class OpenLayer:
    """A layer at work in one run.

    Attributes:
        failures: what a hook of the embedder's raised, or what was found wrong at the end. The
            guest saw an errno at most; whoever runs it raises the first one after the run.
    """

    def __init__(self) -> None:
        self.failures: list[Exception] = []

    def __call__(self, function: Function, call: Call) -> Call:
        """Return what to call instead of ``call``."""
        raise NotImplementedError

    def close(self, finished: bool) -> None:
        """Give back what the layer holds.

        Args:
            finished: whether the guest came to an end of its own; not, if it was stopped.
        """


class PerRun:
    """A layer with a state of its own in each run, as it is given to ``layers=``."""

    def open(self) -> OpenLayer:
        """Return the layer for one run."""
        raise NotImplementedError


class Layers:
    """The layers of one run.

    Args:
        layers: outermost first.

    Raises:
        TypeError: something that is no layer.
        OSError: a file of a layer's cannot be opened; those opened before are closed.
    """

    def __init__(self, layers: Iterable[Layer | PerRun]) -> None:
        self._open: list[OpenLayer] = []
        self._layers: list[Layer] = []
        try:
            for layer in layers:
                if isinstance(layer, PerRun):
                    layer = layer.open()
                    self._open.append(layer)
                elif not callable(layer):
                    raise TypeError(f"a layer is a function (row, call) -> call, not {layer!r}")
                self._layers.append(layer)
        except BaseException:
            self.close(finished=False)
            raise

    def around(self, host: object) -> object:
        """Return a host whose functions are wrapped; ``host`` itself where none is."""
        return apply(self._layers, host)

    @property
    def failures(self) -> list[Exception]:
        """What hooks raised and what was found wrong at the end, outermost layer first."""
        return [failure for layer in self._open for failure in layer.failures]

    def take_failure(self) -> Exception | None:
        """Return the first of ``failures`` and forget it; None: there is none."""
        for layer in self._open:
            if layer.failures:
                return layer.failures.pop(0)
        return None

    def close(self, finished: bool) -> None:
        """Close all layers; see ``OpenLayer.close``. Twice is harmless for layers of ours."""
        for layer in self._open:
            layer.close(finished)


class LayeredHost:
    """A host whose attributes are the wrapped functions; the others are the host's own."""


def apply(
    layers: Sequence[Layer], host: object, functions: Sequence[Function] = FUNCTIONS
) -> object:
    """Return a host whose functions are wrapped by the layers.

    Args:
        layers: outermost first.
        host: the object whose methods are the functions.
        functions: the rows.

    Returns:
        An object with the same functions. Where no layer wraps any, it is ``host``.
    """
    layered = LayeredHost()
    wrapped = set()
    for function in functions:
        own = call = getattr(host, function.name)
        for layer in reversed(layers):
            call = layer(function, call)
        if call is not own:
            wrapped.add(function.name)
            if any(param.type is CIOVECS for param in host_params(function)):
                call = _copying(call)
        setattr(layered, function.name, call)
    for filling, reading in _FILLING.items():
        if reading in wrapped:
            # So that a layer sees every byte: nothing is read past it into guest memory.
            setattr(layered, filling, _filling(getattr(layered, reading)))
        else:
            setattr(layered, filling, getattr(host, filling, None))
    return layered if wrapped else host


def _copying(call: Call) -> Call:
    """Give layers bytes: a view of guest memory must not outlive the call."""

    def copied(fd: int, data: bytes | memoryview, *rest: int) -> object:
        return call(fd, bytes(data), *rest)

    return copied


def _filling(read: Call) -> Call:
    def fill(fd: int, buffers: Sequence[memoryview], *rest: int) -> int:
        data = read(fd, sum(map(len, buffers)), *rest)
        done = 0
        for buffer in buffers:
            part = data[done : done + len(buffer)]
            buffer[: len(part)] = part
            done += len(part)
        return done

    return fill
