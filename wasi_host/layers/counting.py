"""Counts the calls of a run, and ends it at a limit."""

from wasi_host.errors import Stopped
from wasi_host.layers.layer import Call
from wasi_spec.functions import Function


class Counting:
    """A layer for one run.

    Args:
        limit: how many calls are served; the next one ends the run: ``Stopped("calls")``. None:
            as many as there are.

    Attributes:
        calls: how often each function was called, by name; only those that were.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.calls: dict[str, int] = {}
        self._left = limit

    @property
    def total(self) -> int:
        """How many calls there were."""
        return sum(self.calls.values())

    def __call__(self, function: Function, call: Call) -> Call:
        """Return a call that is counted."""
        calls, name = self.calls, function.name

        def counted(*arguments: object) -> object:
            calls[name] = calls.get(name, 0) + 1
            return call(*arguments)

        def limited(*arguments: object) -> object:
            if not self._left:
                raise Stopped("calls")
            self._left -= 1
            return counted(*arguments)

        return counted if self._left is None else limited
