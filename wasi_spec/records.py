"""The records as Python values, and their packed forms, which follow from ``types`` and ``layout``.

Every ``struct`` format of the project comes from here. Packing writes zeros into padding, so
no byte of ours leaks into a guest.
"""

from __future__ import annotations

import struct

from wasi_spec.tuples import NamedTuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final


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


# Written out, since deriving them takes longer than a short program runs; the tests derive them.
FDSTAT: Final = struct.Struct("<BxHxxxxQQ")
FILESTAT: Final = struct.Struct("<QQBxxxxxxxQQQQQ")
PRESTAT: Final = struct.Struct("<BxxxI")
DIRENT: Final = struct.Struct("<QQIBxxx")
EVENT: Final = struct.Struct("<QHBxxxxxQHxxxxxx")
IOVEC: Final = struct.Struct("<II")
SUBSCRIPTION_CLOCK: Final = struct.Struct("<QBxxxxxxxIxxxxQQHxxxxxx")
SUBSCRIPTION_FD: Final = struct.Struct("<QBxxxxxxxIxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
SUBSCRIPTION_TAG_OFFSET: Final = 8
U32: Final = struct.Struct("<I")
U64: Final = struct.Struct("<Q")
U16: Final = struct.Struct("<H")
