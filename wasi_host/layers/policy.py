"""Lets the embedder's functions decide about each call.

A hook that fails denies: what it raises is kept for the embedder, and the guest gets PERM, as
though the hook had said so. ``proc_exit`` cannot be denied, since it does not return.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from wasi_host.errors import PERM, WasiError, errno_of, foreign, wasi_error
from wasi_host.layers.layer import Call, OpenLayer, PerRun
from wasi_spec.errno import Errno
from wasi_spec.functions import Function
from wasi_spec.types import FD
from wasi_spec.values import host_params, host_results


class HookCall(NamedTuple):
    """A call as a hook sees it.

    Attributes:
        function: its name, such as ``"path_open"``.
        arguments: its arguments by name (``wasi_spec.values.host_params``); all are copies.
    """

    function: str
    arguments: Mapping[str, object]


#: True, None or SUCCESS: as it is; False: PERM; an errno: that one.
Answer: TypeAlias = Errno | int | bool | None
Before: TypeAlias = Callable[[HookCall], Answer]
After: TypeAlias = Callable[[HookCall, object], Answer]


class policy(PerRun):
    """Ask functions of yours about each call.

    Args:
        before: ``before(call)`` is asked before a call is made. ``None`` or ``True`` lets it
            pass, an ``Errno`` answers the guest instead, ``False`` is ``Errno.PERM``.
        after: ``after(call, result)`` sees what came of it: the value (several in a tuple), or
            the ``Errno`` it failed with. What it returns means the same; a descriptor whose
            opening is denied here is closed again.

    What a hook raises, and any other answer, denies the call with PERM; the exception comes out
    of the run when the guest has ended. Each call has a ``function`` (its name) and
    ``arguments``, a mapping.
    """

    __slots__ = ("after", "before")

    def __init__(self, before: Before | None = None, after: After | None = None) -> None:
        for hook in (before, after):
            if hook is not None and not callable(hook):
                raise TypeError(f"a hook of a policy is a function, not {hook!r}")
        self.before = before
        self.after = after

    def open(self) -> "OpenPolicy":
        """Return the layer for one run."""
        return OpenPolicy(self.before, self.after)


class OpenPolicy(OpenLayer):
    """The policy at work in one run."""

    def __init__(self, before: Before | None, after: After | None) -> None:
        super().__init__()
        self._before = before
        self._after = after
        self._close_fd: Call | None = None

    def __call__(self, function: Function, call: Call) -> Call:
        """Return a call that is asked about."""
        if function.name == "fd_close":
            self._close_fd = call
        if self._before is None and self._after is None:
            return call
        names = [param.name for param in host_params(function)]
        opens = any(result.type is FD for result in host_results(function))

        def judged(*arguments: object) -> object:
            view = HookCall(
                function.name,
                MappingProxyType(dict(zip(names, map(_copy, arguments), strict=True))),
            )
            denied = self._ask(self._before, view)
            if denied is not None and not function.noreturn:
                raise denied
            if self._after is None:
                return call(*arguments)
            try:
                result = call(*arguments)
            except WasiError as error:
                self._deny(self._ask(self._after, view, Errno(error.errno)))
                raise
            except OSError as error:
                self._deny(self._ask(self._after, view, Errno(errno_of(error))))
                raise
            denied = self._ask(self._after, view, _copy(result))
            if denied is not None and opens and self._close_fd is not None:
                self._close_fd(result)
            self._deny(denied)
            return result

        return judged

    def _ask(
        self, hook: Callable[..., Answer] | None, *arguments: object
    ) -> type[WasiError] | None:
        """Return what a hook denies with; None where it lets pass."""
        if hook is None:
            return None
        try:
            with foreign(self._keep):
                return _denial(hook(*arguments))
        except (WasiError, OSError) as error:
            self._keep(error)
            return PERM

    def _keep(self, error: Exception) -> None:
        """Keep the first failure: a guest may go on for ever, and what is kept must not grow."""
        if not self.failures:
            self.failures.append(error)

    def _deny(self, denied: type[WasiError] | None) -> None:
        if denied is not None:
            raise denied


def _denial(answer: Answer) -> type[WasiError] | None:
    if answer is None or answer is True:
        return None
    if answer is False:
        return PERM
    if not isinstance(answer, int):
        raise TypeError(f"a policy answers None, a bool or an Errno, not {answer!r}")
    return None if answer == Errno.SUCCESS else wasi_error(answer)


def _copy(value: object) -> object:
    """Copy what a hook could change; all else is unchangeable."""
    return tuple(value) if type(value) is list else value
