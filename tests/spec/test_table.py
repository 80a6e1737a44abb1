"""Facts of the table itself: its rows, their names, and where rights stand."""

import pytest

from wasi_spec import FUNCTIONS, MODULE, Rights
from wasi_spec.types import FD, Enum, Flags, Handle, Int, List, Pointer, Record, String

ORDER = """
    args_get args_sizes_get environ_get environ_sizes_get clock_res_get clock_time_get
    fd_advise fd_allocate fd_close fd_datasync fd_fdstat_get fd_fdstat_set_flags
    fd_fdstat_set_rights fd_filestat_get fd_filestat_set_size fd_filestat_set_times fd_pread
    fd_prestat_get fd_prestat_dir_name fd_pwrite fd_read fd_readdir fd_renumber fd_seek fd_sync
    fd_tell fd_write
    path_create_directory path_filestat_get path_filestat_set_times path_link path_open
    path_readlink path_remove_directory path_rename path_symlink path_unlink_file
    poll_oneoff proc_exit proc_raise sched_yield random_get
    sock_accept sock_recv sock_send sock_shutdown
"""

#: Function and descriptor parameter -> the rights it must have; all others need none.
NEEDED = {
    ("fd_advise", "fd"): "FD_ADVISE",
    ("fd_allocate", "fd"): "FD_ALLOCATE",
    ("fd_datasync", "fd"): "FD_DATASYNC",
    ("fd_fdstat_set_flags", "fd"): "FD_FDSTAT_SET_FLAGS",
    ("fd_filestat_get", "fd"): "FD_FILESTAT_GET",
    ("fd_filestat_set_size", "fd"): "FD_FILESTAT_SET_SIZE",
    ("fd_filestat_set_times", "fd"): "FD_FILESTAT_SET_TIMES",
    ("fd_pread", "fd"): "FD_READ FD_SEEK",
    ("fd_pwrite", "fd"): "FD_WRITE FD_SEEK",
    ("fd_read", "fd"): "FD_READ",
    ("fd_readdir", "fd"): "FD_READDIR",
    ("fd_seek", "fd"): "FD_SEEK",
    ("fd_sync", "fd"): "FD_SYNC",
    ("fd_tell", "fd"): "FD_TELL",
    ("fd_write", "fd"): "FD_WRITE",
    ("path_create_directory", "fd"): "PATH_CREATE_DIRECTORY",
    ("path_filestat_get", "fd"): "PATH_FILESTAT_GET",
    ("path_filestat_set_times", "fd"): "PATH_FILESTAT_SET_TIMES",
    ("path_link", "old_fd"): "PATH_LINK_SOURCE",
    ("path_link", "new_fd"): "PATH_LINK_TARGET",
    ("path_open", "fd"): "PATH_OPEN",
    ("path_readlink", "fd"): "PATH_READLINK",
    ("path_remove_directory", "fd"): "PATH_REMOVE_DIRECTORY",
    ("path_rename", "fd"): "PATH_RENAME_SOURCE",
    ("path_rename", "new_fd"): "PATH_RENAME_TARGET",
    ("path_symlink", "fd"): "PATH_SYMLINK",
    ("path_unlink_file", "fd"): "PATH_UNLINK_FILE",
    ("sock_accept", "fd"): "SOCK_ACCEPT",
    ("sock_recv", "fd"): "FD_READ",
    ("sock_send", "fd"): "FD_WRITE",
    ("sock_shutdown", "fd"): "SOCK_SHUTDOWN",
}

#: Rights that no parameter needs always: path_open's flags and poll's subscriptions ask for them.
CONDITIONAL = {"PATH_CREATE_FILE", "PATH_FILESTAT_SET_SIZE", "POLL_FD_READWRITE"}

#: Function -> its results with their witx types.
RESULTS = {
    "args_sizes_get": "argc:size argv_buf_size:size",
    "environ_sizes_get": "environc:size environ_buf_size:size",
    "clock_res_get": "resolution:timestamp",
    "clock_time_get": "time:timestamp",
    "fd_fdstat_get": "stat:fdstat",
    "fd_filestat_get": "stat:filestat",
    "fd_pread": "nread:size",
    "fd_prestat_get": "prestat:prestat",
    "fd_pwrite": "nwritten:size",
    "fd_read": "nread:size",
    "fd_readdir": "bufused:size",
    "fd_seek": "newoffset:filesize",
    "fd_tell": "offset:filesize",
    "fd_write": "nwritten:size",
    "path_filestat_get": "stat:filestat",
    "path_open": "opened_fd:fd",
    "path_readlink": "bufused:size",
    "poll_oneoff": "nevents:size",
    "sock_accept": "connection:fd",
    "sock_recv": "ro_datalen:size ro_flags:roflags",
    "sock_send": "so_datalen:size",
}

SHAPES = Int | Handle | Enum | Flags | Pointer | String | List

rows = pytest.mark.parametrize("row", FUNCTIONS, ids=[row.name for row in FUNCTIONS])


def names_of(rights):
    return {right.name for right in Rights if rights & right}


def test_the_module_is_the_first_preview():
    assert MODULE == "wasi_snapshot_preview1"


def test_there_are_46_rows_in_the_order_of_the_witx():
    assert len(ORDER.split()) == 46
    assert [row.name for row in FUNCTIONS] == ORDER.split()


@rows
def test_a_rows_parameters_and_results_have_names_of_their_own(row):
    names = [part.name for part in (*row.params, *row.results)]
    assert len(set(names)) == len(names)


@rows
def test_a_row_belongs_to_the_group_its_name_begins_with(row):
    prefix = row.name.split("_")[0]
    assert row.group == (prefix if prefix in {"fd", "path", "poll", "sock"} else "process")


@rows
def test_a_rows_documentation_is_one_sentence_on_one_line(row):
    assert row.doc.endswith(".")
    assert "\n" not in row.doc
    assert row.doc[0].isupper()


@rows
def test_rights_stand_on_descriptor_parameters_only(row):
    assert [part.name for part in row.params if part.rights and part.type is not FD] == []


@rows
def test_a_descriptor_parameter_needs_exactly_the_rights_listed_for_it(row):
    needed = {part.name: names_of(part.rights) for part in row.params if part.type is FD}
    listed = {part: set(NEEDED.get((row.name, part), "").split()) for part in needed}
    assert needed == listed


@rows
def test_rights_of_a_parameter_are_plain_ints_without_undefined_bits(row):
    for part in row.params:
        assert type(part.rights) is int
        assert part.rights == sum(Rights[name] for name in names_of(part.rights))


def test_every_row_in_the_listing_of_rights_exists():
    params = {(row.name, part.name) for row in FUNCTIONS for part in row.params}
    assert set(NEEDED) <= params


def test_every_right_is_needed_by_some_parameter_or_listed_as_conditional():
    used = {name for row in FUNCTIONS for part in row.params for name in names_of(part.rights)}
    assert used.isdisjoint(CONDITIONAL)
    assert used | CONDITIONAL == {right.name for right in Rights}


@rows
def test_results_carry_the_names_of_wasi_libc_and_the_types_of_the_witx(row):
    results = [f"{result.name}:{result.type.name}" for result in row.results]
    assert results == RESULTS.get(row.name, "").split()


@rows
def test_a_result_is_a_value_with_a_layout(row):
    for result in row.results:
        assert not isinstance(result.type, String | List | Pointer)


@rows
def test_a_record_is_never_passed_by_value(row):
    assert [part.name for part in row.params if not isinstance(part.type, SHAPES)] == []
    assert [part.name for part in row.params if isinstance(part.type, Record)] == []


def test_only_proc_exit_never_returns():
    assert [row.name for row in FUNCTIONS if row.noreturn] == ["proc_exit"]


@rows
def test_a_byte_buffer_is_followed_by_its_length_except_where_the_sizes_call_gives_it(row):
    followed = [*[part.name for part in row.params[1:]], None]
    for part, after in zip(row.params, followed, strict=False):
        if isinstance(part.type, Pointer) and part.type.to.name == "u8":
            alone = row.name in {"args_get", "environ_get"}
            assert after == (None if alone else f"{part.name}_len")


def test_only_rights_are_masked_instead_of_refused():
    masked = {
        part.type.name
        for row in FUNCTIONS
        for part in row.params
        if isinstance(part.type, Flags) and part.type.masked
    }
    assert masked == {"rights"}
