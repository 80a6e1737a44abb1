"""The flag sets but ``rights``. A bit outside a set is a guest's error (INVAL)."""

from enum import IntFlag


class Fdflags(IntFlag):
    """State of a descriptor (witx: ``$fdflags``, u16)."""

    APPEND = 1 << 0
    DSYNC = 1 << 1
    NONBLOCK = 1 << 2
    RSYNC = 1 << 3
    SYNC = 1 << 4


class Lookupflags(IntFlag):
    """How the last component of a path is looked up (witx: ``$lookupflags``, u32)."""

    SYMLINK_FOLLOW = 1 << 0


class Oflags(IntFlag):
    """How ``path_open`` opens (witx: ``$oflags``, u16)."""

    CREAT = 1 << 0
    DIRECTORY = 1 << 1
    EXCL = 1 << 2
    TRUNC = 1 << 3


class Fstflags(IntFlag):
    """Which times are set, and from what (witx: ``$fstflags``, u16)."""

    ATIM = 1 << 0
    ATIM_NOW = 1 << 1
    MTIM = 1 << 2
    MTIM_NOW = 1 << 3


class Subclockflags(IntFlag):
    """How a clock subscription's timeout is meant (witx: ``$subclockflags``, u16)."""

    SUBSCRIPTION_CLOCK_ABSTIME = 1 << 0


class Eventrwflags(IntFlag):
    """State of the peer of a ready descriptor (witx: ``$eventrwflags``, u16)."""

    FD_READWRITE_HANGUP = 1 << 0


class Riflags(IntFlag):
    """Flags given to ``sock_recv`` (witx: ``$riflags``, u16)."""

    RECV_PEEK = 1 << 0
    RECV_WAITALL = 1 << 1


class Roflags(IntFlag):
    """Flags returned by ``sock_recv`` (witx: ``$roflags``, u16)."""

    RECV_DATA_TRUNCATED = 1 << 0


class Sdflags(IntFlag):
    """Which directions ``sock_shutdown`` closes (witx: ``$sdflags``, u8)."""

    RD = 1 << 0
    WR = 1 << 1
