"""The 46 functions of ``wasi_snapshot_preview1``, one row each, in the order of the witx.

Theory of operation. A row says what the witx says (names, types) and what it leaves to prose:
the rights a descriptor parameter needs, and the names of the results (wasi-libc's, since the
witx has none). All else is derived from rows: core signatures here; decoding, checking and
encoding in ``wasi_host.binding``; names in traces; tests of every pointer and every right.

``shape`` regroups a row's parameters into what a host function takes and returns as values:

* a ``pointer u8`` followed by its ``_len`` is one output buffer: the host function is given the
  length and returns the bytes;
* an iovec array becomes ``size`` (the room), a ciovec array becomes ``data`` (the bytes);
* ``argv, argv_buf`` (and environ's) become a returned list of byte strings;
* ``poll_oneoff``'s three become a list of subscriptions in and a list of events out.
"""

from __future__ import annotations

from wasi_spec.rights import Rights
from wasi_spec.signatures import PREVIEW1
from wasi_spec.tuples import NamedTuple
from wasi_spec.types import (
    ADVICE,
    CIOVECS,
    CLOCKID,
    DIRCOOKIE,
    EVENTS,
    EXITCODE,
    FD,
    FDFLAGS,
    FDSTAT,
    FILEDELTA,
    FILESIZE,
    FILESTAT,
    FSTFLAGS,
    IOVECS,
    LOOKUPFLAGS,
    OFLAGS,
    PATH,
    POINTER_STRINGS,
    POINTER_U8,
    PRESTAT,
    RIFLAGS,
    RIGHTS,
    ROFLAGS,
    SDFLAGS,
    SIFLAGS,
    SIGNAL,
    SIZE,
    SUBSCRIPTIONS,
    TIMESTAMP,
    WHENCE,
    Flags,
    Int,
    List,
    String,
    Type,
)

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final

MODULE: Final = PREVIEW1


class Param(NamedTuple):
    """One parameter; ``rights``: all of these must be on the descriptor it names."""

    name: str
    type: Type
    rights: int = 0


class Result(NamedTuple):
    """One result beside the errno, stored through a pointer added to the signature."""

    name: str
    type: Type


class Function(NamedTuple):
    """One row of the table."""

    name: str
    group: str
    doc: str
    params: tuple[Param, ...]
    results: tuple[Result, ...] = ()
    noreturn: bool = False


def core_signature(function: Function) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the WebAssembly signature of a function: parameter types and result types.

    Strings and arrays are two i32 (address, length); each result is an i32 address at the end;
    a 64-bit integer or flag set is an i64; anything else an i32. The result is the errno.
    """
    params: list[str] = []
    for param in function.params:
        if isinstance(param.type, String | List):
            params += ["i32", "i32"]
        elif isinstance(param.type, Int | Flags) and param.type.bits == 64:
            params.append("i64")
        else:
            params.append("i32")
    params += ["i32"] * len(function.results)
    return tuple(params), () if function.noreturn else ("i32",)


_R = {right.name: int(right) for right in Rights}

FUNCTIONS: Final[tuple[Function, ...]] = (
    Function(
        "args_get", group="process", doc="Read the command line's arguments.",
        params=(Param("argv", POINTER_STRINGS), Param("argv_buf", POINTER_U8)),
    ),
    Function(
        "args_sizes_get", group="process", doc="Return the sizes of the arguments.",
        params=(), results=(Result("argc", SIZE), Result("argv_buf_size", SIZE)),
    ),
    Function(
        "environ_get", group="process", doc="Read the environment variables.",
        params=(Param("environ", POINTER_STRINGS), Param("environ_buf", POINTER_U8)),
    ),
    Function(
        "environ_sizes_get", group="process", doc="Return the sizes of the environment.",
        params=(), results=(Result("environc", SIZE), Result("environ_buf_size", SIZE)),
    ),
    Function(
        "clock_res_get", group="process", doc="Return a clock's resolution, like clock_getres.",
        params=(Param("id", CLOCKID),), results=(Result("resolution", TIMESTAMP),),
    ),
    Function(
        "clock_time_get", group="process", doc="Return a clock's time, like clock_gettime.",
        params=(Param("id", CLOCKID), Param("precision", TIMESTAMP)),
        results=(Result("time", TIMESTAMP),),
    ),
    Function(
        "fd_advise", group="fd", doc="Announce how a file will be used, like posix_fadvise.",
        params=(
            Param("fd", FD, _R["FD_ADVISE"]), Param("offset", FILESIZE), Param("len", FILESIZE),
            Param("advice", ADVICE),
        ),
    ),
    Function(
        "fd_allocate", group="fd", doc="Make a file at least so long, like posix_fallocate.",
        params=(
            Param("fd", FD, _R["FD_ALLOCATE"]), Param("offset", FILESIZE), Param("len", FILESIZE),
        ),
    ),
    Function(
        "fd_close", group="fd", doc="Close a descriptor, like close.",
        params=(Param("fd", FD),),
    ),
    Function(
        "fd_datasync", group="fd", doc="Write a file's data to storage, like fdatasync.",
        params=(Param("fd", FD, _R["FD_DATASYNC"]),),
    ),
    Function(
        "fd_fdstat_get", group="fd", doc="Return a descriptor's kind, flags and rights.",
        params=(Param("fd", FD),), results=(Result("stat", FDSTAT),),
    ),
    Function(
        "fd_fdstat_set_flags", group="fd", doc="Set a descriptor's flags, like F_SETFL.",
        params=(Param("fd", FD, _R["FD_FDSTAT_SET_FLAGS"]), Param("flags", FDFLAGS)),
    ),
    Function(
        "fd_fdstat_set_rights", group="fd", doc="Drop rights of a descriptor.",
        params=(
            Param("fd", FD), Param("fs_rights_base", RIGHTS), Param("fs_rights_inheriting", RIGHTS),
        ),
    ),
    Function(
        "fd_filestat_get", group="fd", doc="Return the attributes of an open file, like fstat.",
        params=(Param("fd", FD, _R["FD_FILESTAT_GET"]),), results=(Result("stat", FILESTAT),),
    ),
    Function(
        "fd_filestat_set_size", group="fd", doc="Set an open file's size, like ftruncate.",
        params=(Param("fd", FD, _R["FD_FILESTAT_SET_SIZE"]), Param("size", FILESIZE)),
    ),
    Function(
        "fd_filestat_set_times", group="fd", doc="Set an open file's times, like futimens.",
        params=(
            Param("fd", FD, _R["FD_FILESTAT_SET_TIMES"]), Param("atim", TIMESTAMP),
            Param("mtim", TIMESTAMP), Param("fst_flags", FSTFLAGS),
        ),
    ),
    Function(
        "fd_pread", group="fd", doc="Read at an offset, like preadv.",
        params=(
            Param("fd", FD, _R["FD_READ"] | _R["FD_SEEK"]), Param("iovs", IOVECS),
            Param("offset", FILESIZE),
        ),
        results=(Result("nread", SIZE),),
    ),
    Function(
        "fd_prestat_get", group="fd", doc="Return what a preopened descriptor is.",
        params=(Param("fd", FD),), results=(Result("prestat", PRESTAT),),
    ),
    Function(
        "fd_prestat_dir_name", group="fd", doc="Return a preopened directory's guest name.",
        params=(Param("fd", FD), Param("path", POINTER_U8), Param("path_len", SIZE)),
    ),
    Function(
        "fd_pwrite", group="fd", doc="Write at an offset, like pwritev.",
        params=(
            Param("fd", FD, _R["FD_WRITE"] | _R["FD_SEEK"]), Param("iovs", CIOVECS),
            Param("offset", FILESIZE),
        ),
        results=(Result("nwritten", SIZE),),
    ),
    Function(
        "fd_read", group="fd", doc="Read from a descriptor, like readv.",
        params=(Param("fd", FD, _R["FD_READ"]), Param("iovs", IOVECS)),
        results=(Result("nread", SIZE),),
    ),
    Function(
        "fd_readdir", group="fd", doc="Read entries of a directory, like readdir.",
        params=(
            Param("fd", FD, _R["FD_READDIR"]), Param("buf", POINTER_U8), Param("buf_len", SIZE),
            Param("cookie", DIRCOOKIE),
        ),
        results=(Result("bufused", SIZE),),
    ),
    Function(
        "fd_renumber", group="fd", doc="Move a descriptor to another number, like dup2 and close.",
        params=(Param("fd", FD), Param("to", FD)),
    ),
    Function(
        "fd_seek", group="fd", doc="Move a descriptor's position, like lseek.",
        # FD_TELL alone is enough to ask for the position; fd_seek itself decides.
        params=(
            Param("fd", FD, _R["FD_SEEK"]), Param("offset", FILEDELTA), Param("whence", WHENCE),
        ),
        results=(Result("newoffset", FILESIZE),),
    ),
    Function(
        "fd_sync", group="fd", doc="Write a file's data and attributes to storage, like fsync.",
        params=(Param("fd", FD, _R["FD_SYNC"]),),
    ),
    Function(
        "fd_tell", group="fd", doc="Return a descriptor's position, like lseek(fd, 0, SEEK_CUR).",
        params=(Param("fd", FD, _R["FD_TELL"]),), results=(Result("offset", FILESIZE),),
    ),
    Function(
        "fd_write", group="fd", doc="Write to a descriptor, like writev.",
        params=(Param("fd", FD, _R["FD_WRITE"]), Param("iovs", CIOVECS)),
        results=(Result("nwritten", SIZE),),
    ),
    Function(
        "path_create_directory", group="path", doc="Create a directory, like mkdirat.",
        params=(Param("fd", FD, _R["PATH_CREATE_DIRECTORY"]), Param("path", PATH)),
    ),
    Function(
        "path_filestat_get", group="path", doc="Return a file's attributes, like fstatat.",
        params=(
            Param("fd", FD, _R["PATH_FILESTAT_GET"]), Param("flags", LOOKUPFLAGS),
            Param("path", PATH),
        ),
        results=(Result("stat", FILESTAT),),
    ),
    Function(
        "path_filestat_set_times", group="path", doc="Set a file's times, like utimensat.",
        params=(
            Param("fd", FD, _R["PATH_FILESTAT_SET_TIMES"]), Param("flags", LOOKUPFLAGS),
            Param("path", PATH), Param("atim", TIMESTAMP), Param("mtim", TIMESTAMP),
            Param("fst_flags", FSTFLAGS),
        ),
    ),
    Function(
        "path_link", group="path", doc="Create a hard link, like linkat.",
        params=(
            Param("old_fd", FD, _R["PATH_LINK_SOURCE"]), Param("old_flags", LOOKUPFLAGS),
            Param("old_path", PATH), Param("new_fd", FD, _R["PATH_LINK_TARGET"]),
            Param("new_path", PATH),
        ),
    ),
    Function(
        "path_open", group="path", doc="Open a file or directory, like openat.",
        # Further rights depend on the flags (catalogue 22): ``wasi_host.preview1.path``.
        params=(
            Param("fd", FD, _R["PATH_OPEN"]), Param("dirflags", LOOKUPFLAGS), Param("path", PATH),
            Param("oflags", OFLAGS), Param("fs_rights_base", RIGHTS),
            Param("fs_rights_inheriting", RIGHTS), Param("fdflags", FDFLAGS),
        ),
        results=(Result("opened_fd", FD),),
    ),
    Function(
        "path_readlink", group="path", doc="Read a symbolic link's target, like readlinkat.",
        params=(
            Param("fd", FD, _R["PATH_READLINK"]), Param("path", PATH), Param("buf", POINTER_U8),
            Param("buf_len", SIZE),
        ),
        results=(Result("bufused", SIZE),),
    ),
    Function(
        "path_remove_directory", group="path", doc="Remove an empty directory, like rmdir.",
        params=(Param("fd", FD, _R["PATH_REMOVE_DIRECTORY"]), Param("path", PATH)),
    ),
    Function(
        "path_rename", group="path", doc="Rename a file or directory, like renameat.",
        params=(
            Param("fd", FD, _R["PATH_RENAME_SOURCE"]), Param("old_path", PATH),
            Param("new_fd", FD, _R["PATH_RENAME_TARGET"]), Param("new_path", PATH),
        ),
    ),
    Function(
        "path_symlink", group="path", doc="Create a symbolic link, like symlinkat.",
        params=(
            Param("old_path", PATH), Param("fd", FD, _R["PATH_SYMLINK"]), Param("new_path", PATH),
        ),
    ),
    Function(
        "path_unlink_file", group="path", doc="Remove a name that is no directory, like unlink.",
        params=(Param("fd", FD, _R["PATH_UNLINK_FILE"]), Param("path", PATH)),
    ),
    Function(
        "poll_oneoff", group="poll", doc="Wait for the first of several events, like poll.",
        # POLL_FD_READWRITE and the direction's right stand on each subscription.
        params=(
            Param("in", SUBSCRIPTIONS), Param("out", EVENTS), Param("nsubscriptions", SIZE),
        ),
        results=(Result("nevents", SIZE),),
    ),
    Function(
        "proc_exit", group="process", doc="End the program with an exit code, like _Exit.",
        params=(Param("rval", EXITCODE),), noreturn=True,
    ),
    Function(
        "proc_raise", group="process", doc="Send a signal to the program itself, like raise.",
        params=(Param("sig", SIGNAL),),
    ),
    Function(
        "sched_yield", group="process", doc="Let others run, like sched_yield.",
        params=(),
    ),
    Function(
        "random_get", group="process", doc="Fill a buffer with random bytes, like getentropy.",
        params=(Param("buf", POINTER_U8), Param("buf_len", SIZE)),
    ),
    Function(
        "sock_accept", group="sock", doc="Accept a connection, like accept4.",
        params=(Param("fd", FD, _R["SOCK_ACCEPT"]), Param("flags", FDFLAGS)),
        results=(Result("connection", FD),),
    ),
    Function(
        "sock_recv", group="sock", doc="Receive from a socket, like recvmsg.",
        params=(
            Param("fd", FD, _R["FD_READ"]), Param("ri_data", IOVECS), Param("ri_flags", RIFLAGS),
        ),
        results=(Result("ro_datalen", SIZE), Result("ro_flags", ROFLAGS)),
    ),
    Function(
        "sock_send", group="sock", doc="Send on a socket, like sendmsg.",
        params=(
            Param("fd", FD, _R["FD_WRITE"]), Param("si_data", CIOVECS), Param("si_flags", SIFLAGS),
        ),
        results=(Result("so_datalen", SIZE),),
    ),
    Function(
        "sock_shutdown", group="sock", doc="Close a socket's directions, like shutdown.",
        params=(Param("fd", FD, _R["SOCK_SHUTDOWN"]), Param("how", SDFLAGS)),
    ),
)  # fmt: skip
