"""The enumerations but ``errno``. A tag outside an enumeration is a guest's error (INVAL)."""

from enum import IntEnum


class Clockid(IntEnum):
    """Which clock (witx: ``$clockid``, u32)."""

    REALTIME = 0
    MONOTONIC = 1
    PROCESS_CPUTIME_ID = 2
    THREAD_CPUTIME_ID = 3


class Whence(IntEnum):
    """What a seek is relative to (witx: ``$whence``, u8)."""

    SET = 0
    CUR = 1
    END = 2


class Filetype(IntEnum):
    """Kind of file behind a descriptor or a name (witx: ``$filetype``, u8)."""

    UNKNOWN = 0
    BLOCK_DEVICE = 1
    CHARACTER_DEVICE = 2
    DIRECTORY = 3
    REGULAR_FILE = 4
    SOCKET_DGRAM = 5
    SOCKET_STREAM = 6
    SYMBOLIC_LINK = 7


class Advice(IntEnum):
    """Expected access pattern (witx: ``$advice``, u8)."""

    NORMAL = 0
    SEQUENTIAL = 1
    RANDOM = 2
    WILLNEED = 3
    DONTNEED = 4
    NOREUSE = 5


class Eventtype(IntEnum):
    """What a subscription waits for (witx: ``$eventtype``, u8)."""

    CLOCK = 0
    FD_READ = 1
    FD_WRITE = 2


class Preopentype(IntEnum):
    """Kind of a preopened resource (witx: ``$preopentype``, u8)."""

    DIR = 0


class Signal(IntEnum):
    """Argument of ``proc_raise`` (witx: ``$signal``, u8)."""

    NONE = 0
    HUP = 1
    INT = 2
    QUIT = 3
    ILL = 4
    TRAP = 5
    ABRT = 6
    BUS = 7
    FPE = 8
    KILL = 9
    USR1 = 10
    SEGV = 11
    USR2 = 12
    PIPE = 13
    ALRM = 14
    TERM = 15
    CHLD = 16
    CONT = 17
    STOP = 18
    TSTP = 19
    TTIN = 20
    TTOU = 21
    URG = 22
    XCPU = 23
    XFSZ = 24
    VTALRM = 25
    PROF = 26
    WINCH = 27
    POLL = 28
    PWR = 29
    SYS = 30
