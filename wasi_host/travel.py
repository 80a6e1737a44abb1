"""What of a ``Sandbox`` goes to other processes, and how: its arguments, pickled once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from wasi_spec.tuples import NamedTuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from wasi_host.modules import Module
    from wasi_host.results import CompletedRun

__all__ = ["Travel", "check_travels", "departing", "travelling"]


class Travel(NamedTuple):
    """What goes to workers.

    Attributes:
        rebuild: makes the sandbox's ``run`` of the module there; picklable.
        module: the module.
        given: what results name it by: as the sandbox was given it.
    """

    rebuild: Callable[[Module], Callable[..., CompletedRun]]
    module: Module
    given: object


def travelling(dirs: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Return directories as a sandbox keeps them: a copy, which pickles where that can be.

    A filesystem of another library gets our wrapper, which says what is to be done where it
    cannot go to another process. What is no mapping is returned as it is.
    """
    if not isinstance(dirs, Mapping):
        return dirs
    if not dirs:
        return {}
    # As in ``surroundings``: only who has directories loads what they are made of.
    from wasi_host.fs.source import filesystem_of, is_foreign

    wrapped = {
        id(value): filesystem_of(value, f"dirs[{name!r}]")
        for name, value in dirs.items()
        if is_foreign(value)
    }
    return {name: wrapped.get(id(value), value) for name, value in dirs.items()}


def check_travels(options: Mapping[str, Any]) -> None:
    """Raise TypeError for arguments that mean something in this process only."""
    if options["sockets"]:
        # A number would be somebody else's descriptor in another process.
        raise TypeError("a Sandbox with sockets belongs to this process; it does not pickle")


def departing(
    options: Mapping[str, Any],
    module: Module,
    rebuild: Callable[[dict[str, Any], Module], Callable[..., CompletedRun]],
) -> Travel:
    """Return what goes to workers.

    Args:
        options: the sandbox's arguments, ``module`` among them as it was given.
        module: the module itself.
        rebuild: makes ``run`` of the other arguments and the module; picklable.

    Raises:
        TypeError: something in the arguments does not pickle.
    """
    # Whoever runs in this process alone does without.
    import pickle

    check_travels(options)
    others = {name: value for name, value in options.items() if name != "module"}
    try:
        data = pickle.dumps(others)
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        raise TypeError(f"this Sandbox cannot go to another process: {error}") from error
    return Travel(partial(_arrived, rebuild, data), module, options["module"])


def _arrived(
    rebuild: Callable[[dict[str, Any], Module], Callable[..., CompletedRun]],
    data: bytes,
    module: Module,
) -> Callable[..., CompletedRun]:
    import pickle

    return rebuild(pickle.loads(data), module)
