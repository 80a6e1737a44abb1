"""The types of the specification, as values.

A witx type is one of seven shapes; each carries its witx name. Types that only a function's
signature uses (pointers, paths, vectors) are shapes too, so that a row of the table says all
that a compiler needs.
"""

from __future__ import annotations

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
from wasi_spec.rights import Rights
from wasi_spec.tuples import NamedTuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from enum import IntEnum, IntFlag
    from typing import Final


class Int(NamedTuple):
    """An integer of 8, 16, 32 or 64 bits."""

    name: str
    bits: int
    signed: bool = False


class Handle(NamedTuple):
    """A descriptor number: 32 bits, unsigned."""

    name: str


class Enum(NamedTuple):
    """An enumeration; ``bits`` is the width of its tag in memory.

    ``meaning``: for each tag its value in preview 1, where that is another.
    """

    name: str
    bits: int
    values: type[IntEnum]
    meaning: tuple[int, ...] | None = None


class Flags(NamedTuple):
    """A set of bits.

    ``masked``: undefined bits are dropped, not refused. ``missing``: names in ``values`` that
    this set does not have.
    """

    name: str
    bits: int
    values: type[IntFlag] | None
    masked: bool = False
    missing: tuple[str, ...] = ()

    @property
    def mask(self) -> int:
        """All defined bits."""
        return sum(int(bit) for bit in self.values or () if bit.name not in self.missing)


class Pointer(NamedTuple):
    """An address in guest memory of values of type ``to``; ``const`` if the guest only gives."""

    name: str
    to: Type
    const: bool = False


class String(NamedTuple):
    """UTF-8 text given as address and length: two words in a signature."""

    name: str


class List(NamedTuple):
    """An array given as address and count: two words in a signature."""

    name: str
    element: Type


class Field(NamedTuple):
    """One field of a record."""

    name: str
    type: Type


class Record(NamedTuple):
    """Fields one after another, each at its own alignment."""

    name: str
    fields: tuple[Field, ...]


class Union(NamedTuple):
    """A tag, then one of the cases, in the order of the tag's values."""

    name: str
    tag: Enum
    cases: tuple[Type, ...]


Type = Int | Handle | Enum | Flags | Pointer | String | List | Record | Union

U8: Final = Int("u8", 8)
SIZE: Final = Int("size", 32)
FILESIZE: Final = Int("filesize", 64)
TIMESTAMP: Final = Int("timestamp", 64)
FILEDELTA: Final = Int("filedelta", 64, signed=True)
DIRCOOKIE: Final = Int("dircookie", 64)
DIRNAMLEN: Final = Int("dirnamlen", 32)
INODE: Final = Int("inode", 64)
DEVICE: Final = Int("device", 64)
LINKCOUNT: Final = Int("linkcount", 64)
USERDATA: Final = Int("userdata", 64)
EXITCODE: Final = Int("exitcode", 32)
FD: Final = Handle("fd")

ERRNO: Final = Enum("errno", 16, Errno)
CLOCKID: Final = Enum("clockid", 32, Clockid)
WHENCE: Final = Enum("whence", 8, Whence)
FILETYPE: Final = Enum("filetype", 8, Filetype)
ADVICE: Final = Enum("advice", 8, Advice)
EVENTTYPE: Final = Enum("eventtype", 8, Eventtype)
SIGNAL: Final = Enum("signal", 8, Signal)
PREOPENTYPE: Final = Enum("preopentype", 8, Preopentype)

RIGHTS: Final = Flags("rights", 64, Rights, masked=True)
FDFLAGS: Final = Flags("fdflags", 16, Fdflags)
FSTFLAGS: Final = Flags("fstflags", 16, Fstflags)
LOOKUPFLAGS: Final = Flags("lookupflags", 32, Lookupflags)
OFLAGS: Final = Flags("oflags", 16, Oflags)
EVENTRWFLAGS: Final = Flags("eventrwflags", 16, Eventrwflags)
SUBCLOCKFLAGS: Final = Flags("subclockflags", 16, Subclockflags)
RIFLAGS: Final = Flags("riflags", 16, Riflags)
ROFLAGS: Final = Flags("roflags", 16, Roflags)
# The witx has a bare u16 "provided for future use": a set with no member.
SIFLAGS: Final = Flags("siflags", 16, None)
SDFLAGS: Final = Flags("sdflags", 8, Sdflags)

PATH: Final = String("string")
POINTER_U8: Final = Pointer("pointer u8", U8)
POINTER_STRINGS: Final = Pointer("pointer pointer u8", POINTER_U8)

IOVEC: Final = Record("iovec", (Field("buf", POINTER_U8), Field("buf_len", SIZE)))
CIOVEC: Final = Record(
    "ciovec", (Field("buf", Pointer("const_pointer u8", U8, const=True)), Field("buf_len", SIZE))
)
IOVECS: Final = List("iovec_array", IOVEC)
CIOVECS: Final = List("ciovec_array", CIOVEC)

DIRENT: Final = Record(
    "dirent",
    (
        Field("d_next", DIRCOOKIE),
        Field("d_ino", INODE),
        Field("d_namlen", DIRNAMLEN),
        Field("d_type", FILETYPE),
    ),
)
FDSTAT: Final = Record(
    "fdstat",
    (
        Field("fs_filetype", FILETYPE),
        Field("fs_flags", FDFLAGS),
        Field("fs_rights_base", RIGHTS),
        Field("fs_rights_inheriting", RIGHTS),
    ),
)
FILESTAT: Final = Record(
    "filestat",
    (
        Field("dev", DEVICE),
        Field("ino", INODE),
        Field("filetype", FILETYPE),
        Field("nlink", LINKCOUNT),
        Field("size", FILESIZE),
        Field("atim", TIMESTAMP),
        Field("mtim", TIMESTAMP),
        Field("ctim", TIMESTAMP),
    ),
)
PRESTAT_DIR: Final = Record("prestat_dir", (Field("pr_name_len", SIZE),))
PRESTAT: Final = Union("prestat", PREOPENTYPE, (PRESTAT_DIR,))

EVENT_FD_READWRITE: Final = Record(
    "event_fd_readwrite", (Field("nbytes", FILESIZE), Field("flags", EVENTRWFLAGS))
)
EVENT: Final = Record(
    "event",
    (
        Field("userdata", USERDATA),
        Field("error", ERRNO),
        Field("type", EVENTTYPE),
        Field("fd_readwrite", EVENT_FD_READWRITE),
    ),
)
SUBSCRIPTION_CLOCK: Final = Record(
    "subscription_clock",
    (
        Field("id", CLOCKID),
        Field("timeout", TIMESTAMP),
        Field("precision", TIMESTAMP),
        Field("flags", SUBCLOCKFLAGS),
    ),
)
SUBSCRIPTION_FD: Final = Record("subscription_fd_readwrite", (Field("file_descriptor", FD),))
SUBSCRIPTION_U: Final = Union(
    "subscription_u", EVENTTYPE, (SUBSCRIPTION_CLOCK, SUBSCRIPTION_FD, SUBSCRIPTION_FD)
)
SUBSCRIPTION: Final = Record(
    "subscription", (Field("userdata", USERDATA), Field("u", SUBSCRIPTION_U))
)
SUBSCRIPTIONS: Final = Pointer("const_pointer subscription", SUBSCRIPTION, const=True)
EVENTS: Final = Pointer("pointer event", EVENT)
