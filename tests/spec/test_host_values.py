"""What host functions take and return, against the rows told another way."""

import pytest

from wasi_spec import FUNCTIONS
from wasi_spec.values import host_params, host_results

ROWS = {row.name: row for row in FUNCTIONS}

#: Function -> parameters -> results, for each way in which a buffer or array is regrouped.
REGROUPED = {
    "args_get": ("", "argv"),
    "environ_get": ("", "environ"),
    "fd_pread": ("fd size offset", "data"),
    "fd_prestat_dir_name": ("fd path_len", "path"),
    "fd_pwrite": ("fd data offset", "nwritten"),
    "fd_read": ("fd size", "data"),
    "fd_readdir": ("fd buf_len cookie", "buf"),
    "fd_write": ("fd data", "nwritten"),
    "path_readlink": ("fd path buf_len", "buf"),
    "poll_oneoff": ("subscriptions", "events"),
    "random_get": ("buf_len", "buf"),
    "sock_recv": ("fd size ri_flags", "data ro_flags"),
    "sock_send": ("fd data si_flags", "so_datalen"),
}


@pytest.mark.parametrize("name", REGROUPED)
def test_buffers_and_arrays_become_values(name):
    params, results = REGROUPED[name]
    assert " ".join(param.name for param in host_params(ROWS[name])) == params
    assert " ".join(result.name for result in host_results(ROWS[name])) == results


@pytest.mark.parametrize("name", sorted(ROWS.keys() - REGROUPED.keys()))
def test_all_else_is_as_the_row_says(name):
    row = ROWS[name]
    assert host_params(row) == row.params
    assert host_results(row) == row.results
