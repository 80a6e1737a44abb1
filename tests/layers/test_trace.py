import json
from itertools import count

import pytest

from tests.layers.hosts import Wrapped, files
from tests.preview1.calls import arguments
from wasi_host.errors import NOENT, ProcExit, Stopped
from wasi_host.layers.layer import apply
from wasi_host.layers.trace import Trace, selected
from wasi_spec import FUNCTIONS, SubscriptionClock, SubscriptionFd


def outcome(call, *arguments):
    try:
        return call(*arguments)
    except BaseException as error:
        return error


def traced(*calls, host=None, **answers):
    """The lines of a trace of these calls, without durations."""
    trace = Trace(clock=lambda: 0)
    wrapped = Wrapped(trace, host=host, **answers)
    for name, *given in calls:
        outcome(getattr(wrapped, name), *given)
    return [line.removesuffix(" <0.000000>") for line in str(trace).splitlines()]


TREE = {"f": b"hello\nworld\n" * 10, "d": {"x": b""}}


def test_a_line_shows_names_flags_paths_and_results():
    assert traced(
        ("fd_prestat_get", 3),
        ("fd_prestat_dir_name", 3, 1),
        ("path_open", 3, 1, "f", 0, 2, 0, 1),
        ("fd_read", 4, 100),
        ("fd_readdir", 3, 4096, 0),
        ("path_open", 3, 0, "d", 2, 0, 0, 0),
        ("path_open", 5, 0, "./y", 9, 0x40, 0, 0),
        ("fd_write", 6, b"x" * 50),
        ("fd_seek", 6, -10, 2),
        ("fd_close", 6),
        ("fd_write", 6, b""),
        ("path_filestat_get", 3, 0, "missing"),
        host=files(TREE),
    ) == [
        "fd_prestat_get(3, {DIR, pr_name_len=1}) = 0",
        'fd_prestat_dir_name(3, "/", 1) = 0',
        'path_open(3</>, SYMLINK_FOLLOW, "f", 0, FD_READ, 0, APPEND) = 4</f>',
        'fd_read(4</f>, "hello\\nworld\\nhello\\nworld\\nhello\\nwo"..., 100) = 100',
        'fd_readdir(3</>, /* 4 entries: "." ".." "f" "d" */, 4096, 0) = 101',
        'path_open(3</>, 0, "d", DIRECTORY, 0, 0, 0) = 5</d>',
        'path_open(5</d>, 0, "./y", CREAT|TRUNC, FD_WRITE, 0, 0) = 6</d/y>',
        'fd_write(6</d/y>, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"..., 50) = 50',
        "fd_seek(6</d/y>, -10, END) = 40",
        "fd_close(6</d/y>) = 0",
        'fd_write(6, "", 0) = BADF',
        'path_filestat_get(3</>, 0, "missing") = NOENT',
    ]


def test_records_show_their_fields_by_name():
    stat, fdstat = traced(
        ("fd_filestat_get", 4),
        ("fd_fdstat_get", 4),
        fd_filestat_get=(1, 2, 4, 1, 5, 10, 20, 30),
        fd_fdstat_get=(4, 5, 2, 0x3FFFFFFF),
    )
    assert stat == (
        "fd_filestat_get(4, {dev=1, ino=2, filetype=REGULAR_FILE, nlink=1, size=5, atim=10, "
        "mtim=20, ctim=30}) = 0"
    )
    assert fdstat == (
        "fd_fdstat_get(4, {fs_filetype=REGULAR_FILE, fs_flags=APPEND|NONBLOCK, "
        "fs_rights_base=FD_READ, fs_rights_inheriting=ALL_RIGHTS}) = 0"
    )


def test_calls_of_every_other_shape():
    assert traced(
        ("args_get",), ("args_sizes_get",), ("clock_time_get", 1, 0), ("random_get", 3),
        ("poll_oneoff", [SubscriptionClock(1, 0, 1000, 0, 1), SubscriptionFd(5, 2, 1)]),
        ("sock_recv", 4, 10, 1), ("sock_accept", 4, 4), ("path_symlink", "to", 3, "l"),
        ("fd_advise", 4, 0, 5, 3), ("sched_yield",),
        args_get=[b"prog", b"a"], args_sizes_get=(2, 7), clock_time_get=5, random_get=b"\0\x80a",
        poll_oneoff=[(1, 0, 0, 0, 0), (5, 0, 2, 7, 0)], sock_recv=(b"ab", 1), sock_accept=9,
    ) == [
        'args_get(["prog", "a"]) = 0',
        "args_sizes_get() = argc=2, argv_buf_size=7",
        "clock_time_get(MONOTONIC, 0) = 5",
        'random_get("\\x00\\x80a", 3) = 0',
        "poll_oneoff([{CLOCK, REALTIME, SUBSCRIPTION_CLOCK_ABSTIME 1000 ns}, {FD_WRITE, 1}], "
        "[{CLOCK}, {FD_WRITE, 7 bytes}]) = 2",
        'sock_recv(4, "ab", 10, RECV_PEEK) = 2, RECV_DATA_TRUNCATED',
        "sock_accept(4, NONBLOCK) = 9<connection>",
        'path_symlink("to", 3, "l") = 0',
        "fd_advise(4, 0, 5, WILLNEED) = 0",
        "sched_yield() = 0",
    ]  # fmt: skip


@pytest.mark.parametrize(("ends", "shown"), [
    (NOENT, "NOENT"), (PermissionError(13, "denied"), "ACCES"), (OSError("odd"), "IO"),
    (ProcExit(0), "? exited with 0"), (Stopped("timeout"), "? stopped: timeout"),
    (RuntimeError("a bug"), "? ended by RuntimeError: a bug"),
], ids=str)  # fmt: skip
def test_how_a_call_ends_is_shown_and_passes_on(ends, shown):
    assert traced(("fd_tell", 4), fd_tell=ends) == [f"fd_tell(4) = {shown}"]
    error = outcome(Wrapped(Trace(), fd_tell=ends).fd_tell, 4)
    assert isinstance(error, ends if isinstance(ends, type) else type(ends))


@pytest.mark.parametrize("row", FUNCTIONS, ids=lambda row: row.name)
def test_every_function_has_a_line_and_an_object(row):
    trace = Trace()
    outcome(getattr(apply([trace], files(TREE)), row.name), *arguments(row))
    assert str(trace).startswith(f"{row.name}(")
    assert json.loads(trace.to_json().splitlines()[0])["call"] == row.name


def test_a_descriptor_is_followed_through_renumbering():
    assert traced(
        ("path_open", 3, 0, "f", 0, 2, 0, 0), ("fd_renumber", 4, 1), ("fd_tell", 1), ("fd_tell", 4),
        host=files(TREE),
    )[1:] == [
        "fd_renumber(4<?/f>, 1<stdout>) = 0", "fd_tell(1<?/f>) = 0", "fd_tell(4) = BADF",
    ]  # fmt: skip


def test_a_hostile_name_steers_no_terminal():
    (line,) = traced(("path_unlink_file", 3, "a\x1b[2J\n\u202e\"\\"), path_unlink_file=NOENT)
    assert line == 'path_unlink_file(3, "a\\u{1b}[2J\\n\\u{202e}\\"\\\\") = NOENT'
    assert line.isprintable()


def test_names_of_descriptors_do_not_grow_without_end():
    trace = Trace()
    host = Wrapped(trace, path_open=4)
    host.path_open(3, 0, "." * 1 + "/x", 0, 2, 0, 0)
    for _ in range(100):
        host.path_open(4, 0, "y" * 200, 0, 2, 0, 0)
    assert max(map(len, str(trace).splitlines())) < 3000


def test_calls_beyond_what_is_kept_are_counted_only(monkeypatch):
    monkeypatch.setattr("wasi_host.layers.trace.KEPT_BYTES", 5000)
    trace = Trace()
    host = Wrapped(trace)
    for _ in range(100):
        host.sched_yield()
    lines = str(trace).splitlines()
    assert 1 < len(lines) < 20
    assert lines[-1] == f"... {100 - len(lines) + 1} more calls"
    assert trace.calls == {"sched_yield": 100}


def test_durations_are_measured_by_the_clock_given():
    trace = Trace(clock=count(0, 1_500_000).__next__)
    Wrapped(trace).sched_yield()
    assert str(trace) == "sched_yield() = 0 <0.001500>\n"


def test_json_has_one_object_a_call():
    trace = Trace(clock=lambda: 0)
    host = Wrapped(trace, host=files(TREE))
    host.path_open(3, 1, "f", 0, 2, 0, 0)
    host.fd_read(4, 7)
    outcome(host.path_unlink_file, 3, "nope")
    outcome(host.proc_exit, 3)
    opened, read, failed, left = map(json.loads, trace.to_json().splitlines())
    assert opened == {
        "number": 1, "call": "path_open", "errno": "SUCCESS", "ns": 0,
        "arguments": {"fd": 3, "dirflags": ["SYMLINK_FOLLOW"], "path": "f", "oflags": [],
                      "fs_rights_base": ["FD_READ"], "fs_rights_inheriting": [], "fdflags": []},
        "paths": {"opened_fd": "?/f"}, "result": {"opened_fd": 4},
    }  # fmt: skip
    assert read["result"] == {"data": {"head": "hello\\nw", "length": 7}}
    assert read["paths"] == {"fd": "?/f"}
    assert (failed["errno"], failed["result"]) == ("NOENT", None)
    assert (left["errno"], left["ended"]) == (None, "exited with 3")


def test_a_summary_counts_calls_errors_and_time():
    trace = Trace(clock=count(0, 1_000).__next__)
    host = Wrapped(trace, fd_tell=NOENT)
    for _ in range(3):
        host.sched_yield()
    outcome(host.fd_tell, 3)
    assert trace.summary().splitlines() == [
        "% time     seconds  usecs/call     calls    errors call",
        "------ ----------- ----------- --------- --------- ------------------------",
        " 75.00    0.000003         1.0         3           sched_yield",
        " 25.00    0.000001         1.0         1         1 fd_tell",
        "------ ----------- ----------- --------- --------- ------------------------",
        "100.00    0.000004         1.0         4         1 total",
    ]



@pytest.mark.parametrize(("words", "some", "others"), [
    (["fs"], {"fd_read", "path_open"}, {"clock_time_get", "sock_recv", "args_get"}),
    (["clock"], {"clock_time_get", "poll_oneoff"}, {"fd_read"}),
    (["random", "fd_read"], {"random_get", "fd_read"}, {"fd_write"}),
    (["sock", "process"], {"sock_recv", "args_get"}, {"fd_read"}),
    ([], {row.name for row in FUNCTIONS}, set()),
])  # fmt: skip
def test_words_select_calls(words, some, others):
    chosen = selected(words)
    assert some <= chosen
    assert not others & chosen


def test_an_unknown_word_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"'files'; there are clock, fd, fs,"):
        Trace(only=["files"])
    with pytest.raises(TypeError, match="a list of words"):
        Trace(only="fs")


def test_paths_are_known_in_a_trace_of_some_calls_only():
    trace = Trace(only=["fd_read"], clock=lambda: 0)
    host = Wrapped(trace, host=files(TREE))
    host.fd_prestat_dir_name(3, 1)
    host.path_open(3, 0, "f", 0, 2, 0, 0)
    host.fd_read(4, 2)
    assert str(trace) == 'fd_read(4</f>, "he", 2) = 2 <0.000000>\n'


def test_functions_that_are_neither_shown_nor_followed_are_not_wrapped():
    host = Wrapped(Trace(only=["random"]))
    assert host.fd_read is host.inner.fd_read


def test_lines_are_written_as_calls_end():
    lines = []
    host = Wrapped(Trace(write=lines.append, clock=lambda: 0))
    host.sched_yield()
    assert lines == ["sched_yield() = 0 <0.000000>\n"]


@pytest.mark.parametrize("error", [ValueError("mine"), BrokenPipeError(32, "gone")], ids=repr)
def test_a_writer_that_fails_is_left_alone_and_the_guest_sees_nothing(error):
    asked = []

    def write(text):
        asked.append(text)
        raise error

    trace = Trace(write=write)
    host = Wrapped(trace, fd_tell=5)
    assert [host.fd_tell(3), host.fd_tell(3)] == [5, 5]
    assert len(asked) == 1
    assert trace.failures == [error]


def test_a_trace_is_for_one_run():
    trace = Trace()
    Wrapped(trace)
    with pytest.raises(RuntimeError, match="for one run"):
        Wrapped(trace)
