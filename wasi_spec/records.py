"""The records as Python values, and their packed forms, derived from ``types`` by ``layout``.

Every ``struct`` format of the project comes from here. Packing writes zeros into padding, so
no byte of ours leaks into a guest.
"""

import struct
from typing import Final, NamedTuple

from wasi_spec import types
from wasi_spec.enums import Eventtype
from wasi_spec.layout import case_format, layout, structure


class Fdstat(NamedTuple):
    """State of a descriptor (witx: ``$fdstat``, 24 bytes)."""

    fs_filetype: int
    fs_flags: int
    fs_rights_base: int
    fs_rights_inheriting: int


class Filestat(NamedTuple):
    """Attributes of a file (witx: ``$filestat``, 64 bytes); times in nanoseconds since 1970."""

    dev: int
    ino: int
    filetype: int
    nlink: int
    size: int
    atim: int
    mtim: int
    ctim: int


class Prestat(NamedTuple):
    """What a preopen is (witx: ``$prestat``, 8 bytes); the name's length is in bytes."""

    tag: int
    pr_name_len: int


class Dirent(NamedTuple):
    """Header of one directory entry (witx: ``$dirent``, 24 bytes); the name follows it."""

    d_next: int
    d_ino: int
    d_namlen: int
    d_type: int


class SubscriptionClock(NamedTuple):
    """Wait for a clock (witx: ``$subscription`` with tag clock); times in nanoseconds."""

    userdata: int
    id: int
    timeout: int
    precision: int
    flags: int


class SubscriptionFd(NamedTuple):
    """Wait for a descriptor (witx: ``$subscription`` with tag fd_read or fd_write)."""

    userdata: int
    type: int
    file_descriptor: int


class Event(NamedTuple):
    """Something that happened (witx: ``$event``, 32 bytes)."""

    userdata: int
    error: int
    type: int
    nbytes: int
    flags: int


FDSTAT: Final = structure(types.FDSTAT)
FILESTAT: Final = structure(types.FILESTAT)
PRESTAT: Final = struct.Struct(
    case_format(types.Record("", (types.Field("u", types.PRESTAT),)), "u", 0)
)
DIRENT: Final = structure(types.DIRENT)
EVENT: Final = structure(types.EVENT)
IOVEC: Final = structure(types.IOVEC)
SUBSCRIPTION_CLOCK: Final = struct.Struct(case_format(types.SUBSCRIPTION, "u", Eventtype.CLOCK))
SUBSCRIPTION_FD: Final = struct.Struct(case_format(types.SUBSCRIPTION, "u", Eventtype.FD_READ))
SUBSCRIPTION_TAG_OFFSET: Final = layout(types.USERDATA).size
#: The records that are results of functions, by witx name.
RESULTS: Final = {"fdstat": FDSTAT, "filestat": FILESTAT, "prestat": PRESTAT}
U32: Final = struct.Struct("<I")
U64: Final = struct.Struct("<Q")
U16: Final = struct.Struct("<H")
