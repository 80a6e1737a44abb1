"""The names and WebAssembly signatures of all functions, written out.

``functions`` says all there is to say about them, and derives the same signatures from its rows,
which the tests compare. Binding a guest's imports needs no more than this, and reading the rows
takes longer than a short program runs.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Final


PREVIEW1: Final = "wasi_snapshot_preview1"
UNSTABLE: Final = "wasi_unstable"

#: The parameters of each function of preview 1, in the order of the witx: ``i`` is an i32, ``I``
#: an i64. All return an i32, the errno, but ``proc_exit``, which returns nothing.
PARAMETERS: Final = {
    "args_get": "ii",
    "args_sizes_get": "ii",
    "environ_get": "ii",
    "environ_sizes_get": "ii",
    "clock_res_get": "ii",
    "clock_time_get": "iIi",
    "fd_advise": "iIIi",
    "fd_allocate": "iII",
    "fd_close": "i",
    "fd_datasync": "i",
    "fd_fdstat_get": "ii",
    "fd_fdstat_set_flags": "ii",
    "fd_fdstat_set_rights": "iII",
    "fd_filestat_get": "ii",
    "fd_filestat_set_size": "iI",
    "fd_filestat_set_times": "iIIi",
    "fd_pread": "iiiIi",
    "fd_prestat_get": "ii",
    "fd_prestat_dir_name": "iii",
    "fd_pwrite": "iiiIi",
    "fd_read": "iiii",
    "fd_readdir": "iiiIi",
    "fd_renumber": "ii",
    "fd_seek": "iIii",
    "fd_sync": "i",
    "fd_tell": "ii",
    "fd_write": "iiii",
    "path_create_directory": "iii",
    "path_filestat_get": "iiiii",
    "path_filestat_set_times": "iiiiIIi",
    "path_link": "iiiiiii",
    "path_open": "iiiiiIIii",
    "path_readlink": "iiiiii",
    "path_remove_directory": "iii",
    "path_rename": "iiiiii",
    "path_symlink": "iiiii",
    "path_unlink_file": "iii",
    "poll_oneoff": "iiii",
    "proc_exit": "i",
    "proc_raise": "i",
    "sched_yield": "",
    "random_get": "ii",
    "sock_accept": "iii",
    "sock_recv": "iiiiii",
    "sock_send": "iiiii",
    "sock_shutdown": "ii",
}
#: The functions without a result.
NORETURN: Final = frozenset(("proc_exit",))
#: The functions of each module, in the order of its table.
NAMES: Final = {
    PREVIEW1: tuple(PARAMETERS),
    UNSTABLE: tuple(name for name in PARAMETERS if name != "sock_accept"),
}
#: The functions whose rows differ between the modules: other layouts, or other numbers.
DIFFERENT: Final = frozenset((
    "fd_fdstat_set_rights", "fd_filestat_get", "fd_seek", "path_filestat_get", "path_open",
    "poll_oneoff",
))  # fmt: skip
