"""WASI preview 1 as data: every type, layout and function of the specification, and nothing else.

Source: the witx files of WebAssembly/WASI, branch ``wasi-0.1``, folder ``preview1/witx``.
This package imports the standard library only and knows neither engines nor guests.

The names below are imported at their first use: who serves a guest needs few of them.
"""

# Type checkers take this name for typing's, whose import costs more than all the rest here.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from wasi_spec.enums import Advice, Clockid, Eventtype, Filetype, Preopentype, Signal, Whence
    from wasi_spec.errno import Errno
    from wasi_spec.flags import (
        Eventrwflags,
        Fdflags,
        Fstflags,
        Lookupflags,
        Oflags,
        Riflags,
        Roflags,
        Sdflags,
        Subclockflags,
    )
    from wasi_spec.functions import FUNCTIONS, MODULE, Function, Param, Result, core_signature
    from wasi_spec.records import (
        Dirent,
        Event,
        Fdstat,
        Filestat,
        Prestat,
        SubscriptionClock,
        SubscriptionFd,
    )
    from wasi_spec.rights import Rights

__all__ = [
    "FUNCTIONS",
    "MODULE",
    "Advice",
    "Clockid",
    "Dirent",
    "Errno",
    "Event",
    "Eventrwflags",
    "Eventtype",
    "Fdflags",
    "Fdstat",
    "Filestat",
    "Filetype",
    "Fstflags",
    "Function",
    "Lookupflags",
    "Oflags",
    "Param",
    "Preopentype",
    "Prestat",
    "Result",
    "Riflags",
    "Rights",
    "Roflags",
    "Sdflags",
    "Signal",
    "Subclockflags",
    "SubscriptionClock",
    "SubscriptionFd",
    "Whence",
    "core_signature",
]

_HOMES = {
    "enums": (
        "Advice",
        "Clockid",
        "Eventtype",
        "Filetype",
        "Preopentype",
        "Signal",
        "Whence",
    ),
    "errno": ("Errno",),
    "flags": (
        "Eventrwflags",
        "Fdflags",
        "Fstflags",
        "Lookupflags",
        "Oflags",
        "Riflags",
        "Roflags",
        "Sdflags",
        "Subclockflags",
    ),
    "functions": (
        "FUNCTIONS",
        "MODULE",
        "Function",
        "Param",
        "Result",
        "core_signature",
    ),
    "records": (
        "Dirent",
        "Event",
        "Fdstat",
        "Filestat",
        "Prestat",
        "SubscriptionClock",
        "SubscriptionFd",
    ),
    "rights": ("Rights",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name at its first use (PEP 562)."""
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module 'wasi_spec' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"wasi_spec.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
