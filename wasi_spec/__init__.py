"""WASI preview 1 as data: every type, layout and function of the specification, and nothing else.

Source: the witx files of WebAssembly/WASI, branch ``wasi-0.1``, folder ``preview1/witx``.
This package imports the standard library only and knows neither engines nor guests.
"""

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
