"""What watches one run: the count of its calls, its trace, and the layers of the embedder.

They stand around the run's host in this order, the count outermost: what a policy denies is
counted and traced too.
"""

from collections.abc import Callable, Iterable

from wasi_host.layers.counting import Counting
from wasi_host.layers.faults import faults
from wasi_host.layers.layer import Layer, Layers, PerRun
from wasi_host.layers.policy import HookCall, policy
from wasi_host.layers.record import record
from wasi_host.layers.replay import Divergence, replay
from wasi_host.layers.trace import Trace

__all__ = ["Divergence", "HookCall", "Observers", "Trace", "faults", "policy", "record", "replay"]


class Observers:
    """What watches one run.

    Args:
        host: what serves the calls.
        limit: how many calls the run may make; None: as many as it likes.
        trace: whether to trace, or the trace to be filled.
        layers: the embedder's, outermost first.
        clock: nanoseconds for the trace's durations; None: the host's.

    Attributes:
        host: what serves the calls now.
        trace: the run's trace, or None.

    Raises:
        TypeError: ``trace`` or a layer is something else.
        ValueError, OSError: a layer cannot be opened.
    """

    def __init__(
        self,
        host: object,
        limit: int | None,
        trace: "bool | Trace",
        layers: Iterable[Layer | PerRun],
        clock: Callable[[], int] | None,
    ) -> None:
        if not isinstance(trace, bool | Trace):
            raise TypeError(f"trace is True, False or a wasi_host.Trace, not {trace!r}")
        if isinstance(layers, PerRun) or not isinstance(layers, Iterable):
            raise TypeError(f"layers is a list of layers, not {layers!r}")
        self.trace = (Trace() if trace else None) if isinstance(trace, bool) else trace
        if self.trace is not None and self.trace.clock is None:
            self.trace.clock = clock
        layers = list(layers)
        if self.trace is not None:
            self.trace.hinting = all(isinstance(layer, record | replay) for layer in layers)
        own: list[Layer] = []
        self._counting = None
        if limit is not None or self.trace is not None:
            self._counting = Counting(limit)
            own.append(self._counting)
        if self.trace is not None:
            own.append(self.trace)
        self._layers = Layers([*own, *layers])
        self.host = self._layers.around(host)

    @property
    def calls(self) -> int | None:
        """How many calls there were; None where nothing asked for it."""
        return None if self._counting is None else self._counting.total

    def take_failure(self) -> Exception | None:
        """Return what a hook raised or a layer found wrong, each once; None: nothing more."""
        failure = self._layers.take_failure()
        if failure is None and self.trace is not None and self.trace.failures:
            failure = self.trace.failures.pop(0)
        return failure

    def close(self, finished: bool) -> None:
        """Close the layers; ``finished``: the guest came to an end of its own."""
        self._layers.close(finished)
